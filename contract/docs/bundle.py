"""The text of docs/bundle.md: the files of a model bundle, its tensors and its manifest."""

import inspect
import re
from typing import Final, get_args

import msgspec

from contract import bundle, examples, korean, phrases, vocabulary
from contract.docs import fields
from contract.docs.source import text_under

_ROLES: Final[tuple[bundle.Role, ...]] = get_args(bundle.Role)


def text() -> str:
    """Write the whole page."""
    first, *inner = fields.structs(bundle.Manifest)
    sections = [f"### {part.__name__}\n\n{_first_line(part)}\n\n{fields.table(part)}" for part in inner]
    return _PAGE.format(
        manifest=bundle.MANIFEST,
        format=bundle.FORMAT,
        roles=_roles(),
        symbols=_symbols(),
        specials=_specials(),
        joining=_joining(),
        fields="\n\n".join([fields.table(first), *sections]),
        example=msgspec.json.format(msgspec.json.encode(examples.LOWERS_ITS_THRESHOLD), indent=2).decode(),
        max_bytes=bundle.MAX_MANIFEST_BYTES,
        longest=phrases.LONGEST,
    )


def _described() -> dict[str, str]:
    """Split the text under `Role` at the names of the roles: `encoder: uint8 ... detector: ...`."""
    names = "|".join(_ROLES)
    parts = re.split(rf"\b({names}): ", text_under(bundle, "Role"))
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


def _roles() -> str:
    said = {role: re.split(r"(?<=\.) (?=[A-Z] )", text)[0] for role, text in _described().items()}
    rows = []
    for role in _ROLES:
        needed = "yes" if role in bundle.REQUIRED else "no"
        rows.append(f"| `{role}` | {needed} | {said[role]} |")
    return "\n".join(["| Role | Needed | Tensors in → out, or content |", "|---|---|---|", *rows])


def _symbols() -> str:
    """Return the sentences about the letters in the shapes, which follow the last role that uses them."""
    texts = (re.split(r"(?<=\.) (?=[A-Z] )", text)[1:] for text in _described().values())
    return " ".join(sentence for rest in texts for sentence in rest)


def _specials() -> str:
    meanings = {
        vocabulary.PAD: "fills what is unused",
        vocabulary.START: "opens a sentence",
        vocabulary.END: "ends it",
        vocabulary.UNKNOWN: "stands for a word the model has not learned",
    }
    return "\n".join(f"| {number} | `{word}` | {meanings[number]} |" for number, word in enumerate(vocabulary.SPECIALS))


def _joining() -> str:
    """Return the table of Korean words and their joining, and the sentence that follows it."""
    _, table, rest = inspect.cleandoc(korean.__doc__ or "").split("\n\n")[1:]
    return f"{table}\n\n{rest}"


def _first_line(kind: fields.Kind) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]


_PAGE: Final = """\
# The model bundle, format {format}

<!-- Generated from contract/ by `python -m contract.docs --write`. Change the code, not this page. -->

A bundle is a folder with everything a device needs to write sentences. Its `{manifest}` names every file with its
size and its SHA-256 digest; a device reads the manifest first and refuses the whole bundle if one byte of one file
differs. A bundle is never changed in place: a new model is a new folder.

## Files

{roles}

{symbols} Each TensorFlow Lite file has one signature, `serving_default`, whose inputs and
outputs have these names. All numbers between the models are float32; quantization stays inside a file.

The vocabulary is UTF-8 text of one word a line; the line's number, counted from 0, is the word's token id. It begins
with:

| Id | Line | Meaning |
|---|---|---|
{specials}

Phrases are UTF-8 text too, one a line: its rarity, a tab, and 1 to {longest} words of the vocabulary joined by spaces.
The order is that of `expected`. A phrase's rarity is its inverse document frequency: the natural logarithm of how many
pictures there were to learn from by one with the phrase. Of a picture, the device says the sentence whose phrases,
weighed as CIDEr weighs them, have the largest sum of what is expected of them; `decoding` says what else counts.

A sentence is its words joined by spaces. Where the manifest's `language` is `ko`, the words are morphemes as they are
written, and say themselves how they join:

{joining}

## {manifest}

Schema: [schema/bundle.json](schema/bundle.json). At most {max_bytes} bytes.

{fields}

## Example

```json
{example}
```

## Check a bundle by hand

The digests are those of `sha256sum`:

```console
$ cd models/wordcam-1
$ jq -r '.files[] | "\\(.sha256)  \\(.name)"' {manifest} | sha256sum --check
```

The device does the same, and more, with `wordcam-edge check`.
"""

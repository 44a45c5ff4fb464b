"""Templates that turn the label of an image into sentences, as whoever trains may edit them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from trainer.errors import DataError
from trainer.recipe.recipe import NOT_YAML

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

KEY: Final = re.compile(r"[^\s/]+(/[^\s/]+(/people)?)?")
"""`label`, `label/close`, `label/source` or `label/source/people`."""

WORDINGS: Final = 500
"""Sentences one template may become; the words of its placeholders multiply."""


CALM: Final = "none"
"""The label of scenes without a danger: they alone may go without a sentence, and then teach what is not there."""


class Templates(msgspec.Struct, frozen=True):
    """Sentences by label, and the words that may stand in their placeholders."""

    sentences: dict[str, list[str]]
    """Key: `label`, `label/close` (the danger fills much of the image), `label/source` or `label/source/people`. Only
    a key of calm scenes may have none."""
    words: dict[str, list[str]]
    """`{person}` in a sentence becomes each of `words.person` in turn."""
    terms: dict[str, list[str]]
    """Words by which a sentence speaks of each danger, for the bundle."""

    def labels(self) -> list[str]:
        """Return the labels that have sentences."""
        return sorted({key.partition("/")[0] for key in self.sentences})

    def wordings(self, key: str) -> list[str]:
        """Return every sentence of a key, filled in every way."""
        return [filled for pattern in self.sentences[key] for filled in _fill(pattern, self.words)]


def load(path: Path) -> Templates:
    """Read the templates; raises `DataError` naming the file, the field and what would be right."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, *NOT_YAML) as error:
        raise DataError(f"{path}: not YAML in UTF-8: {' '.join(str(error).split())}") from error
    sections = Templates.__struct_fields__
    if not isinstance(document, dict):
        raise DataError(f"{path}: expected the sections {', '.join(sections)}")
    if unknown := sorted(map(str, set(document) - set(sections))):
        raise DataError(f"{path}: unknown field `{unknown[0]}`; expected {', '.join(sections)}")
    if absent := [name for name in sections if name not in document]:
        raise DataError(f"{path}: missing required field `{absent[0]}`")
    templates = Templates(**{name: _section(path, name, document[name]) for name in sections})
    for complaint in _complaints(templates):
        raise DataError(f"{path}: {complaint}")
    return templates


def _section(path: Path, name: str, entries: Any) -> dict[str, list[str]]:
    """Check one section key by key, so that an error names the key."""
    if entries is None:
        return {}
    if not isinstance(entries, dict):
        raise DataError(f"{path}: {name}: expected keys with lists of texts, got {entries!r}")
    checked: dict[str, list[str]] = {}
    for key, texts in entries.items():
        try:
            checked[str(key)] = msgspec.convert(texts, list[str])
        except msgspec.ValidationError as error:
            raise DataError(f"{path}: {name}.{key}: expected a list of texts in quotes, got {texts!r}") from error
    return checked


def _complaints(templates: Templates) -> Iterator[str]:
    sections: Mapping[str, Mapping[str, list[str]]] = msgspec.structs.asdict(templates)
    for section, entries in sections.items():
        for key, texts in entries.items():
            wordless = section == "sentences" and key.partition("/")[0] == CALM
            if not (texts or wordless) or not all(text.strip() for text in texts):
                yield f"{section}.{key}: expected at least one text, and none of them empty"
    for name, texts in templates.words.items():
        if held := next((text for text in texts if "{" in text or "}" in text), None):
            yield f"words.{name}: {held!r}: words cannot hold a placeholder"
    for key, sentences in templates.sentences.items():
        if not KEY.fullmatch(key):
            yield f"sentences.{key}: expected label, label/close, label/source or label/source/people"
        for sentence in sentences:
            yield from _unfillable(key, sentence, templates.words)


def _unfillable(key: str, sentence: str, words: Mapping[str, list[str]]) -> Iterator[str]:
    ways = 1
    for name in PLACEHOLDER.findall(sentence):
        if name not in words:
            yield f"sentences.{key}: {{{name}}} is not among `words`: {', '.join(words) or 'there are none'}"
        ways *= len(words.get(name, ()))
    if ways > WORDINGS:
        yield f"sentences.{key}: {sentence!r} can be filled in {ways:,} ways, {WORDINGS} at most"
    if re.search(r"[{}]", PLACEHOLDER.sub("", sentence)):
        yield f"sentences.{key}: {sentence!r}: a brace without its other half; a placeholder is {{name}}"


def _fill(pattern: str, words: Mapping[str, list[str]]) -> list[str]:
    match = PLACEHOLDER.search(pattern)
    if match is None:
        return [pattern]
    return [
        filled
        for word in words[match[1]]
        for filled in _fill(pattern[: match.start()] + word + pattern[match.end() :], words)
    ]

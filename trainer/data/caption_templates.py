"""Templates that turn the label of an image into sentences; a YAML file that users edit."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from foundation import yaml_file
from foundation.yaml_file import FileProblem

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

KEY: Final = re.compile(r"[^\s/]+(/[^\s/]+(/people)?)?")
"""`label`, `label/close`, `label/source` or `label/source/people`."""

WORDINGS: Final = 500
"""Most sentences that one template may become; the words of its placeholders multiply."""


CALM: Final = "none"
"""The label of scenes without a danger: only they may have no sentence, and then train the hazard classifier alone."""


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


class _File(msgspec.Struct, frozen=True):
    """The file as it is written; a section without entries may be left empty."""

    sentences: dict[str, list[str]] | None
    words: dict[str, list[str]] | None
    terms: dict[str, list[str]] | None


def load(path: Path) -> Templates:
    """Return the templates of a file; raises `Misconfigured` naming the file, the field and what would be right."""
    document = yaml_file.read(path)
    found = document.convert(_File)
    templates = Templates(found.sentences or {}, found.words or {}, found.terms or {})
    for where, problem in _complaints(templates):
        raise FileProblem(str(path), document.line(where), where, problem)
    return templates


def _complaints(templates: Templates) -> Iterator[tuple[str, str]]:
    """Yield the field and the problem of each mistake."""
    sections: Mapping[str, Mapping[str, list[str]]] = msgspec.structs.asdict(templates)
    for section, entries in sections.items():
        for key, texts in entries.items():
            wordless = section == "sentences" and key.partition("/")[0] == CALM
            if not (texts or wordless) or not all(text.strip() for text in texts):
                yield f"{section}.{key}", "expected at least one text, and none of them empty"
    for name, texts in templates.words.items():
        if braced := next((text for text in texts if "{" in text or "}" in text), None):
            yield f"words.{name}", f"{braced!r}: words cannot hold a placeholder"
    for key, sentences in templates.sentences.items():
        if not KEY.fullmatch(key):
            yield f"sentences.{key}", "expected label, label/close, label/source or label/source/people"
        for sentence in sentences:
            yield from _unfillable(key, sentence, templates.words)


def _unfillable(key: str, sentence: str, words: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    ways = 1
    for name in PLACEHOLDER.findall(sentence):
        if name not in words:
            yield f"sentences.{key}", f"{{{name}}} is not among `words`: {', '.join(words) or 'there are none'}"
        ways *= len(words.get(name, ()))
    if ways > WORDINGS:
        yield f"sentences.{key}", f"{sentence!r} can be filled in {ways:,} ways, {WORDINGS} at most"
    if re.search(r"[{}]", PLACEHOLDER.sub("", sentence)):
        yield f"sentences.{key}", f"{sentence!r}: a brace without its other half; a placeholder is {{name}}"


def _fill(pattern: str, words: Mapping[str, list[str]]) -> list[str]:
    match = PLACEHOLDER.search(pattern)
    if match is None:
        return [pattern]
    return [
        filled
        for word in words[match[1]]
        for filled in _fill(pattern[: match.start()] + word + pattern[match.end() :], words)
    ]

"""The console's texts: one catalogue for each language, with the same keys."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, get_args

from broker.config.section import Language
from foundation import yaml_file

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


class Texts:
    """One language. A call returns the text of a key, with its braces filled in by name."""

    def __init__(self, language: Language, said: dict[str, str]) -> None:
        self.language: Language = language
        self.said = said

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of a key; raises `KeyError` for one that is not in the catalogue."""
        words = self.said[key]
        return words.format(**values) if values else words

    def about(self, group: str, value: str) -> str:
        """Return the words for a value of the domain (`state.open`), or the value itself where it is a newer one."""
        return self.said.get(f"{group}.{value}", value)


@cache
def of(language: Language) -> Texts:
    """Read the catalogue of a language; its groups become the first half of the keys."""
    name = f"{language}.yaml"
    tree = yaml_file.parse((files(__package__) / name).read_text(encoding="utf-8"), name, Path()).tree
    return Texts(language, dict(_flat(tree, "")))


def _flat(tree: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        found += _flat(value, path) if isinstance(value, dict) else [(path, str(value))]
    return found

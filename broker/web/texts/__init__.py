"""What the console says to people: one catalogue for each language, with the same keys."""

from functools import cache
from importlib.resources import files
from typing import Any, Final, get_args

import yaml

from broker.config.section import Language

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


class Texts:
    """One language. Called with a key, it gives the words, with braces filled by name."""

    def __init__(self, language: Language, said: dict[str, str]) -> None:
        self.language: Language = language
        self.said = said

    def __call__(self, key: str, **values: object) -> str:
        """Give the words of a key; raises `KeyError` for one that is not in the catalogue."""
        words = self.said[key]
        return words.format(**values) if values else words

    def about(self, group: str, value: str) -> str:
        """Give the words for a value of the domain (`state.open`), or the value itself where it is a newer one."""
        return self.said.get(f"{group}.{value}", value)


@cache
def of(language: Language) -> Texts:
    """Read the catalogue of a language; its groups become the first half of the keys."""
    tree = yaml.safe_load((files(__package__) / f"{language}.yaml").read_text(encoding="utf-8"))
    return Texts(language, dict(_flat(tree, "")))


def _flat(tree: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        found += _flat(value, path) if isinstance(value, dict) else [(path, str(value))]
    return found

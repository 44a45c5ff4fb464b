"""The parts that the service's configuration files are made of."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Language = Literal["en", "ko"]
"""Languages that people are written to in."""

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
"""From the least to the most urgent."""

Minutes = Annotated[float, Meta(ge=0, le=60 * 24 * 7)]
"""A week at most: what is longer is a mistake, or a matter for a calendar."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a file."""


class Wording(Section, frozen=True):
    """One name in each language."""

    en: str = ""
    ko: str = ""


def in_language(name: str | Wording, language: Language) -> str:
    """Give a name in a language, or in the other one where it has none there; "" where it has none at all."""
    if isinstance(name, str):
        return name
    return (name.ko or name.en) if language == "ko" else (name.en or name.ko)


def at_least(severity: Severity, floor: Severity) -> bool:
    """Say whether one severity is as urgent as another, or more."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(floor)

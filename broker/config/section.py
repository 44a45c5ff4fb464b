"""Types that several parts of `broker.yaml` and `rules.yaml` share."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Language = Literal["en", "ko"]
"""Languages of notifications and of the console."""

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
"""In rising order."""

Minutes = Annotated[float, Meta(ge=0, le=60 * 24 * 7)]
"""At most a week."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping of a file."""


class Wording(Section, frozen=True):
    """A name in each language; an empty one falls back to the other language."""

    en: str = ""
    ko: str = ""


def in_language(name: str | Wording, language: Language) -> str:
    """Return a name in a language, else in the other one, else ""."""
    if isinstance(name, str):
        return name
    return (name.ko or name.en) if language == "ko" else (name.en or name.ko)


def at_least(severity: Severity, floor: Severity) -> bool:
    """Return whether a severity is not below `floor`."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(floor)

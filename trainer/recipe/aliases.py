"""Keys of recipes as version 0.1.0 spelt them, accepted for one release."""

from collections.abc import Mapping
from typing import Any, Final

SECTIONS: Final[Mapping[str, str]] = {"evidence": "hazard_classifier", "tuning": "finetuning"}
"""Old to new name of top-level sections."""

_BATCH: Final = {"pictures": "batch_size"}

FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "data": {"twins": "duplicates", "teacher": "pseudo_labels"},
    "data.hazards": {"drawn": "labelled_classes"},
    "data.pseudo_labels": {"least_score": "min_score"},
    "encoder": {"batch": "batch_size"},
    "training": {
        **_BATCH,
        "sentences": "captions_per_image",
        "average": "ema_momentum",
        "score_pictures": "score_images",
    },
    "self_critical": _BATCH,
    "detector": _BATCH,
    "hazard_classifier": {**_BATCH, "false_share": "false_positive_rate"},
    "finetuning": {
        **_BATCH,
        "sentences": "captions_per_image",
        "average": "ema_momentum",
        "close_share": "closeup_share",
        "views": "augmentations",
        "least_area": "min_area",
        "close_below": "closeup_max_area",
        "calm_share": "peaceful_closeup_share",
        "evidence_weight": "hazards_weight",
    },
}
"""Old to new name of the fields of each section, by the section's new name."""


class GivenTwice(Exception):
    """A field is given by its old and by its new name."""


def renamed(document: Any) -> Any:
    """Return a recipe's document with the new names; what is no mapping is returned unchanged.

    Raises `GivenTwice` naming both fields.
    """
    if not isinstance(document, dict):
        return document
    renamed_sections = _keys(document, SECTIONS, "")
    return {section: _section(value, str(section)) for section, value in renamed_sections.items()}


def field(name: str) -> str:
    """Return the new name of a dotted field: `tuning.pictures` is `finetuning.batch_size`."""
    first, *rest = name.split(".")
    parts = [SECTIONS.get(first, first)]
    for part in rest:
        parts.append(FIELDS.get(".".join(parts), {}).get(part, part))
    return ".".join(parts)


def _section(value: Any, section: str) -> Any:
    """Rename the fields of a section, and of each mapping in a list of sections; other values are left alone."""
    if isinstance(value, list):
        return [_section(entry, section) if isinstance(entry, dict) else entry for entry in value]
    if not isinstance(value, dict) or not any(known.startswith(section) for known in FIELDS):
        return value
    named = _keys(value, FIELDS.get(section, {}), f"{section}.")
    return {key: _section(entry, f"{section}.{key}") for key, entry in named.items()}


def _keys(entries: dict[Any, Any], names: Mapping[str, str], prefix: str) -> dict[Any, Any]:
    for old, new in names.items():
        if old in entries and new in entries:
            raise GivenTwice(f"`{prefix}{old}` is the old name of `{prefix}{new}`: give one of them")
    return {names.get(key, key): value for key, value in entries.items()}

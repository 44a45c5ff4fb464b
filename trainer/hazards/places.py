"""Which pictures show one place: the same clip by their source's word, or a likeness of the background.

Two frames of one camera share the coarse distribution of light, or what the encoder sees on average; a group is all
that hangs together by such pairs (single linkage). Near duplicates of train and val fall into one place by this rule.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from trainer.hazards.arrays import Floats
from trainer.hazards.features import Encoded, Example
from trainer.hazards.recipe import Source

ALIKE: Final = 0.8
"""Correlation of two thumbnails of one place, where what is seen on average is not against it."""

NOT_AGAINST: Final = 0.3
"""Least correlation of the mean features of these."""

SAME_SIGHT: Final = 0.7
"""Correlation of mean features of one place, their source's own mean taken off, where the light is not against it."""

LIGHT_NOT_AGAINST: Final = 0.5
"""Least correlation of the thumbnails of these."""

ROWS: Final = 1024
"""Pictures compared with all others at once."""


def assign(encoded: Encoded, sources: Mapping[str, Source]) -> dict[str, str]:
    """Return the place of every scene, `SOURCE/NUMBER`, by the key of its picture; everyday pictures have their own."""
    found: dict[str, str] = {}
    frames = [row for row, one in enumerate(encoded.examples) if one.thumbnail and one.label]
    for source in sorted({encoded.examples[row].source for row in frames}):
        rows = [row for row in frames if encoded.examples[row].source == source]
        examples = [encoded.examples[row] for row in rows]
        groups = _groups(encoded.pooled[rows], examples, by_clip=sources.get(source, Source()).clips_are_places)
        found |= {one.key: f"{source}/{group}" for one, group in zip(examples, groups, strict=True)}
    return found


def of_clips(examples: Sequence[Example], known: Mapping[str, str]) -> dict[str, str]:
    """Return the place of each picture of a clip: that of the scenes taken from the same clip, or its own."""
    by_clip = {_clip(one.clip): known[one.key] for one in examples if one.key in known and one.clip}
    return {one.key: by_clip.get(_clip(one.clip), f"{one.source}/{one.clip}") for one in examples if one.kind == "clip"}


def write(path: Path, found: Mapping[str, str]) -> None:
    """Keep the places for people to look at: of each its pictures."""
    groups: dict[str, list[str]] = {}
    for key, place in found.items():
        groups.setdefault(place, []).append(key)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(groups), indent=1))


def _groups(pooled: Floats, examples: Sequence[Example], *, by_clip: bool) -> list[int]:
    light = _centred(np.array([one.thumbnail for one in examples], np.float32))
    mean = np.asarray(pooled[:, : pooled.shape[1] // 2], np.float32)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True) + 1e-6
    sight = mean - mean.mean(0)
    sight /= np.linalg.norm(sight, axis=1, keepdims=True) + 1e-6
    parents = list(range(len(examples)))
    for start in range(0, len(examples), ROWS):
        lit, seen = light[start : start + ROWS] @ light.T, sight[start : start + ROWS] @ sight.T
        alike = ((lit > ALIKE) & (seen > NOT_AGAINST)) | ((lit > LIGHT_NOT_AGAINST) & (seen > SAME_SIGHT))
        for one, other in np.argwhere(alike).tolist():
            _join(parents, start + one, other)
    first: dict[str, int] = {}
    for row, example in enumerate(examples):
        if by_clip and example.clip:
            _join(parents, row, first.setdefault(example.clip, row))
    roots = [_root(parents, row) for row in range(len(examples))]
    numbers = {root: number for number, root in enumerate(dict.fromkeys(roots))}
    return [numbers[root] for root in roots]


def _clip(name: str) -> str:
    """Return a clip's name however it is spelt: `fight/fi003.mp4` is `fight_002`, and `1/Fall/13` is `Fall_1_13`."""
    parts = name.removesuffix(".mp4").replace("/", "_").split("_")
    kind, last = parts[0].lower(), parts[-1]
    if kind in {"fight", "nofight"} and last.lstrip("nofi").isdigit():
        number = int(last.lstrip("nofi")) - (not last.isdigit())
        return f"{kind}_{number}"
    if len(parts) == 3 and parts[1] in {"Fall", "ADL"}:
        parts = [parts[1], parts[0], parts[2]]
    return "_".join(part.lstrip("0") or part for part in parts)


def _join(parents: list[int], one: int, other: int) -> None:
    parents[_root(parents, one)] = _root(parents, other)


def _root(parents: list[int], row: int) -> int:
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


def _centred(values: Floats) -> Floats:
    """Return rows [M, D] of mean 0 and length 1."""
    values = values - values.mean(1, keepdims=True)
    lengths: Floats = np.linalg.norm(values, axis=1, keepdims=True)
    return values / (lengths + 1e-6)

"""Where in the frame something is, in words before the sentence that tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge.look.crops import Region

THIRD: Final = 1 / 3
"""A crop whose middle lies in the first third of the frame is on the left, in the last third on the right."""

FAR: Final = 0.25
"""A person of less than a quarter of the frame's height is far away: some ten metres for a usual wide lens."""

NEAR: Final = 0.5
"""A person of half the frame's height or more is near."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a language calls the parts of a frame; each distance follows the side and brings its own comma."""

    left: str
    middle: str
    right: str
    near: str
    far: str


WORDS: Final[Mapping[str, Words]] = {
    "en": Words("on the left", "in the middle", "on the right", ", close by", ", far away"),
    "ko": Words("왼쪽", "가운데", "오른쪽", " 가까이", " 멀리"),
}
"""By the bundle's language; in any other the sentence stands alone."""


def tell(text: str, region: Region, language: str) -> str:
    """Say where a sentence's scene is: "on the left, far away: a man is holding a gun"."""
    words = WORDS.get(language)
    if words is None:
        return text
    middle = region.left + region.side / 2
    side = words.left if middle < THIRD else words.right if middle > 1 - THIRD else words.middle
    distance = words.far if region.tallest < FAR else words.near if region.tallest >= NEAR else ""
    return f"{side}{distance}: {text}"

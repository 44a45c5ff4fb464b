"""The self-test of a bundle: two drawn pictures go through every model, before a camera's do.

It finds models that fail, models that give no numbers, models that say the same of everything and, where the manifest
says what is right (`self_test`), models that answer otherwise than where they were converted.
"""

import math
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from contract import bundle
from contract.bundle import Manifest, SelfTest
from edge.infer.captioner import Captioner, Features
from edge.infer.image import Picture

SIDE: Final = 240
"""Height and width of the pictures; each model's own size is another."""

LEAST_DIFFERENCE: Final = 1e-6
"""Between two cells of two pictures; far below any that int8 can express."""

RELATIVE: Final = 0.1
"""How far the mean size of what the encoder says may be from what the manifest says, as a share."""


TOLERANCE: Final = 0.05
"""How far evidence may be from what is written into a manifest. The kernels of LiteRT with and without XNNPACK differ
by 0.005 on the shipped bundle, and by 1.6 % in the mean size of the cells; no other processor was measured."""


class SelfTestFailed(ValueError):
    """A bundle that cannot be used; one line says why."""


def run(captioner: Captioner) -> SelfTest:
    """Return what a bundle answers; raises `SelfTestFailed`, also where its manifest says otherwise."""
    found = answers(captioner)
    if captioner.manifest.self_test is not msgspec.UNSET:
        _compare(found, captioner.manifest.self_test)
    return found


def write(folder: Path) -> Manifest:
    """Write into a bundle's manifest what it answers now, in place of what stands there; return the manifest.

    Raises `SelfTestFailed` where it answers nothing that could be right, and what `Captioner.open` raises.
    """
    found = answers(Captioner.open(folder))
    bundle.write(folder, msgspec.structs.replace(bundle.load(folder), self_test=found))
    return bundle.load(folder)


def answers(captioner: Captioner) -> SelfTest:
    """Return what a bundle answers, whatever its manifest says; raises `SelfTestFailed`."""
    try:
        answered = [_answer(captioner, picture) for picture in (shapes(), stripes())]
    except (RuntimeError, ValueError) as error:
        if isinstance(error, SelfTestFailed):
            raise
        raise SelfTestFailed(f"a model fails: {error}") from error
    (cells, evidence), (others, _) = answered
    if float(np.max(np.abs(cells - others))) < LEAST_DIFFERENCE:
        raise SelfTestFailed("the encoder says the same of two different pictures")
    return SelfTest(cells=round(float(np.mean(np.abs(cells))), 6), evidence=evidence, tolerance=TOLERANCE)


def shapes() -> Picture:
    """Draw rectangles of many colours before a slope from dark to bright: the same on every machine, uint8 RGB."""
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    picture = np.stack([down * 255 // SIDE, across * 255 // SIDE, (down + across) * 127 // SIDE], -1).astype(np.uint8)
    for number in range(12):
        top, left = number * 37 % (SIDE - 60), number * 71 % (SIDE - 60)
        picture[top : top + 30 + number, left : left + 50 - number] = (
            number * 20,
            255 - number * 20,
            number * 67 % 256,
        )
    return picture


def stripes() -> Picture:
    """Draw stripes of black and white, uint8 RGB."""
    column = (np.arange(SIDE) // 12 % 2 * 255).astype(np.uint8)
    return np.repeat(np.repeat(column[np.newaxis, :, np.newaxis], SIDE, 0), 3, 2)


def _answer(captioner: Captioner, picture: Picture) -> tuple[NDArray[np.float32], dict[str, float]]:
    """Put a picture through every model; return the cells, and the evidence of each danger."""
    features = captioner.encode(picture)
    _require_numbers(features)
    captioner.detect(features)
    weighed = captioner.weigh(features)
    _require(all(0 <= share <= 1 for share in weighed.evidence.values()), "evidence is not from 0 to 1")
    sentence = captioner.speak(weighed)
    _require(math.isfinite(sentence.confidence) and bool(sentence.text.strip()), "it says nothing of a picture")
    return features.cells, {term: round(share, 4) for term, share in weighed.evidence.items()}


def _require_numbers(features: Features) -> None:
    for name, values in (("c3", features.c3), ("c4", features.c4), ("cells", features.cells)):
        _require(bool(np.all(np.isfinite(values))), f"the encoder's `{name}` holds what is no number")


def _compare(found: SelfTest, right: SelfTest) -> None:
    far = abs(found.cells - right.cells) > RELATIVE * right.cells
    _require(not far, f"the encoder answers {found.cells:g} in place of {right.cells:g}")
    for term, share in right.evidence.items():
        said = found.evidence.get(term, math.nan)
        _require(abs(said - share) <= right.tolerance, f"evidence of {term} is {said:g} in place of {share:g}")


def _require(right: bool, otherwise: str) -> None:
    if not right:
        raise SelfTestFailed(otherwise)

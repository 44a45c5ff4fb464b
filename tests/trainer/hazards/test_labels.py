"""What each view of a picture teaches, and what it leaves open."""

import pytest

from trainer.hazards import labels
from trainer.hazards.features import Example
from trainer.hazards.recipe import DANGERS, Source

SOURCES = {
    "guns": Source(boxed=("gun",)),
    "fires": Source(boxed=("fire", "smoke"), unknown={"fire": ("smoke",)}),
    "tables": Source(calm=True),
}


def example(label: str, source: str = "guns", kind: str = "frame", **more: object) -> Example:
    return Example(key="a", split="train", source=source, label=label, kind=kind, **more)  # type: ignore[arg-type]


def taught(shown: Example, danger: str) -> float | None:
    """Give what is taught of a danger, None where it is left open."""
    there, known = labels.targets([shown], SOURCES)
    column = DANGERS.index(danger)
    return float(there[0, column]) if known[0, column] else None


@pytest.mark.parametrize(
    ("shown", "danger", "value"),
    [
        pytest.param(example("gun", drawn=("gun",)), "armed", 1.0, id="a gun arms its picture"),
        pytest.param(example("gun", drawn=("gun",)), "gun", 1.0, id="and is no knife"),
        pytest.param(example("gun", drawn=("gun",)), "fire", 0.0, id="and no fire"),
        pytest.param(example("gun", drawn=("gun",)), "fight", None, id="whether anyone fights is open"),
        pytest.param(example("none"), "armed", 0.0, id="a calm picture arms nobody"),
        pytest.param(example("none"), "gun", None, id="and has no kind of weapon"),
        pytest.param(example("gun", kind="weapon", inside={"gun": 0.9}), "armed", 1.0, id="a crop that shows it"),
        pytest.param(example("gun", kind="beside", inside={"gun": 0.0}), "armed", 0.0, id="a crop beside it is calm"),
        pytest.param(example("gun", kind="device", inside={"gun": 0.3}), "armed", None, id="a crop of half of it"),
        pytest.param(example("knife", "tables"), "armed", 0.0, id="a knife on a set table is calm"),
        pytest.param(example("fire", "fires", drawn=("fire",)), "smoke", None, id="smoke that nobody drew"),
        pytest.param(example("", "photos", captions="a man with a rifle"), "armed", None, id="what people named"),
        pytest.param(example("", "photos", captions="a dog runs"), "armed", 0.0, id="what nobody named"),
        pytest.param(
            example("gun", kind="bad", drawn=("gun",), bad=("blur",), level=0.9), "armed", None, id="too blurred"
        ),
        pytest.param(example("gun", kind="bad", drawn=("gun",), bad=("blur",), level=0.1), "armed", 1.0, id="a little"),
        pytest.param(example("none", kind="bad", bad=("blur",), level=0.9), "armed", 0.0, id="calm however blurred"),
        pytest.param(example("none", kind="bad", bad=("sideways",)), "fallen", None, id="sideways all people lie"),
    ],
)
def test_a_view_teaches_what_is_known_of_it(shown: Example, danger: str, value: float | None) -> None:
    assert taught(shown, danger) == value

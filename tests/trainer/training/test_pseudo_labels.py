"""The larger detector that draws people where nobody did."""

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from tests.trainer.photographs import frame

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'wordcam[teacher]'")

from PIL import Image

from trainer.errors import CheckpointError, DataError
from trainer.training import pseudo_labels
from trainer.training.pseudo_labels import Found

YOLOX = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "weights" / "yolox_nano.onnx"


@pytest.fixture
def cyclist(tmp_path: Path) -> Path:
    path = tmp_path / "cyclist.png"
    Image.fromarray(frame()).save(path)
    return path


@pytest.mark.skipif(not YOLOX.exists(), reason=f"{YOLOX} is not here: the shared data has the teacher's weights")
def test_the_man_on_the_bicycle_is_found_once_and_remembered(tmp_path: Path, cyclist: Path) -> None:
    kept = tmp_path / "teacher.json"

    first = pseudo_labels.people(YOLOX, [cyclist], kept, min_score=0.4)
    cyclist.unlink()
    again = pseudo_labels.people(YOLOX, [cyclist], kept, min_score=0.4)

    ((_, left, _, width, _), *_) = sorted(first[cyclist], key=lambda box: -box[3] * box[4])
    assert 340 / 640 - 0.1 < left < left + width < 612 / 640 + 0.1
    assert again == first


def test_an_answer_is_read_from_its_grids() -> None:
    raw = np.zeros((16 + 4 + 1, 85), np.float32)
    raw[1, :4] = (0.5, 0.25, np.log(2), np.log(3))  # the second point of the finest grid: row 0, column 1
    raw[18, :4] = (-0.5, 0.5, 0, 0)  # of the middle grid: row 1, column 0

    found = pseudo_labels.decode(raw, 32)

    np.testing.assert_allclose(found[1, :4], (12, 2, 16, 24), rtol=1e-6)
    np.testing.assert_allclose(found[18, :4], (-8, 24, 16, 16), rtol=1e-6)
    np.testing.assert_allclose(found[20, :4], (0, 0, 32, 32), rtol=1e-6)


def test_an_answer_of_another_size_is_refused() -> None:
    with pytest.raises(DataError, match=r"answers for 20 points; a YOLOX of 32 pixels has 21"):
        pseudo_labels.decode(np.zeros((20, 85), np.float32), 32)


def answer(*rows: tuple[float, float, float, float, float, float]) -> npt.NDArray[np.float32]:
    """Return the network's answer with rows (cx, cy, w, h, objectness, person)."""
    found = np.zeros((len(rows), 85), np.float32)
    found[:, :6] = rows
    return found


def test_boxes_are_clipped_to_the_image_and_doubles_are_dropped() -> None:
    rows = answer(
        (50, 50, 40, 40, 0.9, 0.9), (51, 51, 40, 40, 0.8, 0.9), (0, 0, 40, 40, 0.9, 0.5), (9, 9, 5, 5, 0.1, 0.1)
    )

    found = pseudo_labels.boxes(rows, scale=1.0, width=100, height=200)

    assert found == [(0.81, 0.3, 0.15, 0.4, 0.2), (0.45, 0.0, 0.0, 0.2, 0.1)]


def test_a_network_that_is_none_is_named(tmp_path: Path, cyclist: Path) -> None:
    weights = tmp_path / "weights.onnx"
    weights.write_bytes(b"not a network")

    with pytest.raises(DataError, match=r"weights\.onnx: not a network that onnxruntime reads"):
        pseudo_labels.people(weights, [cyclist], tmp_path / "teacher.json", min_score=0.4)


def test_what_another_network_drew_is_not_believed_and_broken_notes_are_named(tmp_path: Path) -> None:
    weights, kept, example = tmp_path / "weights.onnx", tmp_path / "teacher.json", tmp_path / "a.png"
    weights.write_bytes(b"not a network")
    kept.write_bytes(msgspec.json.encode(Found("another", {str(example): []})))

    with pytest.raises(DataError, match="not a network"):
        pseudo_labels.people(weights, [example], kept, min_score=0.4)
    kept.write_text("{")
    with pytest.raises(CheckpointError, match=r"teacher\.json: .*remove it to ask the teacher again"):
        pseudo_labels.people(weights, [example], kept, min_score=0.4)

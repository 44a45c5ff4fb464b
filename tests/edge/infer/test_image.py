"""Pictures read and resized."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.infer import image
from tests.edge import pictures


def test_a_picture_is_read_as_red_green_blue(tmp_path: Path) -> None:
    file = pictures.write(tmp_path / "red.png", pictures.plain((200, 20, 10)))

    assert image.read(file)[0, 0].tolist() == [200, 20, 10]
    assert image.read_bgr(file)[0, 0].tolist() == [10, 20, 200]


def test_a_name_beyond_ascii_is_read(tmp_path: Path) -> None:
    file = pictures.write(tmp_path / "red.png", pictures.plain(pictures.RED)).rename(tmp_path / "빨강.png")

    assert image.read(file).shape == (120, 160, 3)


def test_a_grey_picture_has_three_channels(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((8, 8), 90, np.uint8))

    assert image.read(tmp_path / "grey.png")[0, 0].tolist() == [90, 90, 90]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"GIF89a, but no picture", "not a picture", id="text"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(40), "not a picture", id="header only"),
        pytest.param(None, "No such file", id="absent"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "bad.jpg"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(image.Unreadable, match=f"bad.jpg: .*{said}"):
        image.read(file)


def test_a_picture_larger_than_any_camera_gives_is_refused(tmp_path: Path) -> None:
    file = pictures.write(tmp_path / "bomb.png", np.zeros((1, image.MAX_SIDE + 1, 3), np.uint8))

    with pytest.raises(image.Unreadable, match="16385 x 1 pixels"):
        image.read(file)


@pytest.mark.parametrize("size", [(720, 1280), (480, 640), (100, 1000), (50, 60), (1, 1)])
def test_a_picture_of_any_size_fits(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)

    fitted = image.fit(picture, 96, 112)

    assert fitted.shape == (96, 112, 3)
    assert fitted.mean() == pytest.approx(picture.mean(), abs=12)


def test_a_picture_that_fits_is_not_copied() -> None:
    picture = pictures.plain(pictures.RED, 96, 112)

    assert image.fit(picture, 96, 112) is picture


def test_a_real_frame_fits_as_by_exact_averaging() -> None:
    capture = cv2.VideoCapture(str(pictures.bikes()))
    _, bgr = capture.read()
    capture.release()
    exact = cv2.resize(bgr.astype(np.float32), (128, 64), interpolation=cv2.INTER_AREA)

    assert np.abs(image.fit(bgr, 64, 128) - exact).mean() < 2


def test_a_thumbnail_is_brightness() -> None:
    thumbnail = image.thumbnail(pictures.plain((90, 90, 90)), 36, 64)

    assert thumbnail.shape == (36, 64)
    assert np.unique(thumbnail).tolist() == [90]


def test_a_part_is_cut_at_its_shares_of_the_picture() -> None:
    picture = np.arange(20 * 40 * 3, dtype=np.uint32).astype(np.uint8).reshape(20, 40, 3)

    assert np.array_equal(image.cut(picture, 0.5, 0.25, 0.5), picture[5:15, 20:40])
    assert image.cut(picture, 0.0, 0.0, 1.0).shape == picture.shape
    assert image.cut(picture, 1.0, 1.0, 0.0).shape == (1, 1, 3)

"""Images come upright and in RGB, as the device reads them."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from trainer.data import image_file
from trainer.data.quality import image_check
from trainer.errors import DataError
from trainer.recipe.recipe import Encoder
from trainer.training import feature_cache
from trainer.training.augmentation import AugmentedImage


def photograph(width: int = 64, height: int = 40) -> Image.Image:
    """Draw an image whose four corners differ."""
    corners = np.array([[[250, 30, 30], [30, 250, 30]], [[30, 30, 250], [240, 240, 30]]], np.uint8)
    return Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC)


def saved(path: Path, orientation: int = 1) -> Path:
    """Save the photograph as a camera that was held in another way: pixels turned back, and a tag that says so."""
    exif = Image.Exif()
    exif[image_file.ORIENTATION] = orientation
    photograph().save(path, exif=exif, quality=95)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_training_sees_what_the_device_sees_however_the_camera_was_held(tmp_path: Path, orientation: int) -> None:
    path = saved(tmp_path / "a.jpg", orientation)
    device = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(int)

    mine = image_file.read(path)

    assert mine.shape == device.shape
    assert np.abs(mine - device).max() <= 2
    assert image_file.size(path) == (mine.shape[1], mine.shape[0])


def test_the_encoder_s_pixels_are_upright(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", 6)
    recipe = Encoder(height=64, width=40, weights="")

    (batch,) = feature_cache.read_images([AugmentedImage(path)], recipe)

    device = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(int)
    assert np.abs(batch.numpy()[0] - device).max() <= 2


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.bmp", "a.gif", "a.jpg"])
def test_common_formats_are_read(tmp_path: Path, name: str) -> None:
    photograph().save(tmp_path / name)

    assert image_file.read(tmp_path / name).shape == (40, 64, 3)
    assert image_check.inspect_file(tmp_path / name).fault == ""


def test_a_phone_s_jpeg_with_a_second_image_behind_it_is_read(tmp_path: Path) -> None:
    photograph().save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[photograph(32, 20)])

    assert image_file.read(tmp_path / "a.jpg").shape == (40, 64, 3)


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    cv2.imwrite(str(tmp_path / "a.png"), deep)

    assert np.abs(image_file.read(tmp_path / "a.png")[..., 0].astype(int) - deep // 256).max() <= 1


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xd8\xff\xe0"])
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"a\.jpg: not an image that can be decoded"):
        image_file.read(path)


def test_another_format_is_named() -> None:
    stream = io.BytesIO()
    photograph().save(stream, "TIFF")

    with pytest.raises(ValueError, match="a TIFF file; expected JPEG"):
        image_file.opened(stream)

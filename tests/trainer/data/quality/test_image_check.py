"""What is found inside image files, broken ones among them, and that it is found once."""

import errno
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trainer.data.quality import image_check
from trainer.data.quality.image_check import ImageFacts, ImageFactStore
from trainer.errors import DataError


def jpeg(seed: int = 0, side: int = 64) -> bytes:
    """Encode an image of coloured clouds."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return cv2.imencode(".jpg", cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC))[1].tobytes()


def kept(folder: Path, content: bytes, name: str = "a.jpg") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def inspected(paths: list[Path], store: Path | None = None) -> list[tuple[ImageFacts, bool]]:
    with ImageFactStore(store) as opened:
        return [(facts, new) for _, facts, new in image_check.inspect(paths, opened)]


def fault(path: Path) -> str:
    return image_check.inspect_file(path).fault


def test_a_whole_image_has_a_digest_a_look_and_no_fault(tmp_path: Path) -> None:
    facts = image_check.inspect_file(kept(tmp_path, jpeg()))

    assert (len(facts.digest), len(facts.dhash), facts.fault) == (16, 16, "")
    assert facts.size == len(jpeg())


def test_the_same_image_saved_anew_looks_the_same_and_another_does_not(tmp_path: Path) -> None:
    first, second = jpeg(1), jpeg(2)
    pixels = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
    again = cv2.imencode(".jpg", cv2.resize(pixels, (48, 48)), (cv2.IMWRITE_JPEG_QUALITY, 60))[1].tobytes()
    facts = [image_check.inspect_file(kept(tmp_path, content)) for content in (first, again, second)]
    dhashes = [np.unpackbits(np.frombuffer(found.dhash, np.uint8)).astype(int) for found in facts]

    assert len({found.digest for found in facts}) == 3
    assert abs(dhashes[0] - dhashes[1]).sum() <= 10
    assert abs(dhashes[0] - dhashes[2]).sum() > 20


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".gif"])
def test_other_formats_that_the_encoder_reads_are_no_fault(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)

    assert fault(path) == ""


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"", "not an image of a known format", id="empty"),
        pytest.param(b"<html>404 Not Found</html>", "not an image of a known format", id="a web page"),
        pytest.param(jpeg()[:-40], "image file is truncated", id="cut off"),
        pytest.param(jpeg()[:300], "", id="headers alone"),
        pytest.param(jpeg()[20:], "not an image of a known format", id="no beginning"),
    ],
)
def test_broken_images_have_a_fault(tmp_path: Path, content: bytes, complaint: str) -> None:
    found = fault(kept(tmp_path, content))

    assert found
    assert complaint in found


def test_a_format_that_the_encoder_cannot_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path, "TIFF")

    assert fault(path) == "a TIFF file; expected JPEG, MPO, PNG, WEBP, BMP, GIF"


def test_an_image_of_absurd_size_is_a_fault_and_never_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (1, 1)).save(path)
    small = path.read_bytes()
    header = b"IHDR" + struct.pack(">II", 20_000, 20_000) + small[24:29]
    path.write_bytes(small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:])

    ((facts, _),) = inspected([path])

    assert "exceeds limit" in facts.fault


@pytest.mark.parametrize("name", ["none.jpg", "a\0.jpg"], ids=["none", "a name that no disk takes"])
def test_an_image_that_is_not_there_is_not_there(tmp_path: Path, name: str) -> None:
    facts = image_check.inspect_file(tmp_path / name)

    assert not facts.there
    assert facts.fault


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    facts = image_check.inspect_file(tmp_path)

    assert facts.there
    assert facts.fault == "Is a directory"


@given(cut=st.integers(0, 900), junk=st.binary(max_size=30))
def test_what_is_whole_here_is_whole_to_the_encoder(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    whole = jpeg()
    content = whole[:cut] + junk + whole[cut + len(junk) :]
    path = kept(tmp_path_factory.mktemp("junk"), content)

    if not fault(path):
        assert tf.io.decode_image(content, channels=3, expand_animations=False).shape[-1] == 3


def test_what_is_known_is_not_looked_at_again(tmp_path: Path) -> None:
    paths = [kept(tmp_path, jpeg(seed), f"{seed}.jpg") for seed in range(3)] + [tmp_path / "none.jpg"]
    store = tmp_path / "images.sqlite"
    first = inspected(paths, store)
    kept(tmp_path, jpeg(9, 80), "1.jpg")

    second = inspected(paths, store)

    assert [new for _, new in first] == [True, True, True, True]
    assert [new for _, new in second] == [False, True, False, True]
    assert second[0][0] == first[0][0]
    assert second[1][0].digest != first[1][0].digest


def test_images_come_in_order_over_many_batches(tmp_path: Path) -> None:
    path = kept(tmp_path, jpeg())
    paths = [path, tmp_path / "none.jpg"] * image_check.BATCH

    with ImageFactStore(None) as store:
        found = list(image_check.inspect(paths, store))

    assert [where for where, _, _ in found] == paths
    assert sum(new for where, _, new in found if where == path) == image_check.BATCH // 2


def test_a_store_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "images.sqlite"
    path.write_bytes(b"not a data base" * 100)

    with pytest.raises(DataError, match=r"images\.sqlite: file is not a database; remove it"):
        ImageFactStore(path)


def test_a_store_that_cannot_be_opened_is_no_fault_of_the_data(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="unable to open") as raised:
        ImageFactStore(tmp_path / "none" / "images.sqlite")

    assert raised.value.errno == errno.EIO
    assert os.fspath(tmp_path) in str(raised.value)

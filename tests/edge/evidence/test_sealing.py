"""Sealing: closed by anyone with the public key, opened by the private key alone, or not at all."""

import subprocess
from pathlib import Path

import pytest

from edge.errors import Misconfigured
from edge.evidence import sealing
from edge.evidence.sealing import NotOpened, Seal
from edge.infer import image
from tests.edge import pictures

PICTURE = image.encode_jpeg(pictures.plain(pictures.RED))


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, str]:
    """A file with a private key, and the public key."""
    private, public = sealing.new_key()
    path = tmp_path / "private.key"
    path.write_text(f"# public key: {public}\n{private}\n", encoding="utf-8")
    return path, public


@pytest.fixture
def sealed(tmp_path: Path, keys: tuple[Path, str]) -> Path:
    path = tmp_path / "sealed.age"
    path.write_bytes(Seal(keys[1]).close(PICTURE))
    return path


def test_what_was_sealed_is_opened_by_the_private_key(sealed: Path, keys: tuple[Path, str]) -> None:
    assert sealing.open_sealed(sealed, keys[0]) == PICTURE


def test_a_sealed_file_shows_no_picture(sealed: Path) -> None:
    content = sealed.read_bytes()

    assert content.startswith(b"age-encryption.org/v1\n"), "the program age opens it, too"
    assert b"\xff\xd8\xff" not in content
    assert b"JFIF" not in content
    assert PICTURE[-40:-2] not in content


def test_the_same_picture_is_never_sealed_the_same_way(keys: tuple[Path, str]) -> None:
    seal = Seal(keys[1])

    assert seal.close(PICTURE) != seal.close(PICTURE)


def test_another_key_does_not_open_it_and_that_is_said(sealed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.write_text(sealing.new_key()[0], encoding="utf-8")

    with pytest.raises(NotOpened, match=f"{sealed}: was not sealed for the key in {other}"):
        sealing.open_sealed(sealed, other)


@pytest.mark.parametrize("kept", [0, 10, 100, 200, -1])
def test_a_file_that_was_cut_off_is_refused(sealed: Path, keys: tuple[Path, str], kept: int) -> None:
    sealed.write_bytes(sealed.read_bytes()[:kept])

    with pytest.raises(NotOpened, match="is not whole: cut off, changed, or no sealed file"):
        sealing.open_sealed(sealed, keys[0])


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_file_of_which_one_bit_was_changed_is_refused(sealed: Path, keys: tuple[Path, str], share: float) -> None:
    content = bytearray(sealed.read_bytes())
    content[int(share * len(content))] ^= 1
    sealed.write_bytes(content)

    with pytest.raises(NotOpened, match=r"is not whole|its beginning is damaged"):
        sealing.open_sealed(sealed, keys[0])


def test_a_picture_that_nobody_sealed_is_refused(tmp_path: Path, keys: tuple[Path, str]) -> None:
    (tmp_path / "plain.age").write_bytes(PICTURE)

    with pytest.raises(NotOpened, match="no sealed file"):
        sealing.open_sealed(tmp_path / "plain.age", keys[0])


def test_a_mistyped_public_key_is_refused_with_what_to_do(keys: tuple[Path, str]) -> None:
    wrong = "q" if keys[1][-1] != "q" else "p"

    with pytest.raises(Misconfigured, match=r"`evidence.public_key`: .*; copy it anew"):
        Seal(keys[1][:-1] + wrong)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "age1" + "q" * 58])
def test_a_file_without_a_private_key_is_named(sealed: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "wrong.key").write_text(text, encoding="utf-8")

    with pytest.raises(Misconfigured, match=r"wrong\.key: holds no private key"):
        sealing.open_sealed(sealed, tmp_path / "wrong.key")


def test_a_damaged_private_key_is_named_and_not_repeated(sealed: Path, keys: tuple[Path, str]) -> None:
    text = keys[0].read_text(encoding="utf-8").strip()
    keys[0].write_text(text[:-5], encoding="utf-8")

    with pytest.raises(Misconfigured, match="the private key is damaged") as raised:
        sealing.open_sealed(sealed, keys[0])
    assert text[-30:-5] not in str(raised.value)


def test_files_that_are_not_there_are_named(sealed: Path, tmp_path: Path, keys: tuple[Path, str]) -> None:
    with pytest.raises(Misconfigured, match=r"none\.age: No such file"):
        sealing.open_sealed(tmp_path / "none.age", keys[0])
    with pytest.raises(Misconfigured, match=r"none\.key: No such file"):
        sealing.open_sealed(sealed, tmp_path / "none.key")


def test_the_program_age_opens_it(sealed: Path, keys: tuple[Path, str]) -> None:
    try:
        done = subprocess.run(["age", "-d", "-i", str(keys[0]), str(sealed)], capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("age is not installed")
    assert done.stdout == PICTURE

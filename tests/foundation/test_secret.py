"""Secrets: where they come from, and that no message repeats them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation import secret
from foundation.errors import Misconfigured

FIELD = "mqtt.password_file"


def file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "password"
    path.write_bytes(content)
    return path


def test_the_variable_goes_before_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, b"from file\n")

    assert secret.read(path, "SECRET", field=FIELD, environ={"SECRET": "from environment"}) == "from environment"
    assert secret.read(path, "SECRET", field=FIELD, environ={}) == "from file"
    assert secret.read(None, "SECRET", field=FIELD, environ={}) == ""


@pytest.mark.parametrize("empty", ["", "\n", "\ufeff"])
def test_an_empty_variable_counts_as_unset(tmp_path: Path, empty: str) -> None:
    assert secret.read(file(tmp_path, b"word"), "SECRET", field=FIELD, environ={"SECRET": empty}) == "word"


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfword", b"word\n", b"word\r\n", b"\xef\xbb\xbfword\r\n\n"])
def test_a_byte_order_mark_and_a_last_line_break_are_no_part_of_it(tmp_path: Path, content: bytes) -> None:
    assert secret.read(file(tmp_path, content), "SECRET", field=FIELD, environ={}) == "word"
    assert secret.read(None, "SECRET", field=FIELD, environ={"SECRET": content.decode()}) == "word"


def test_spaces_are_part_of_it(tmp_path: Path) -> None:
    assert secret.read(file(tmp_path, b" a b \n"), "SECRET", field=FIELD, environ={}) == " a b "


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; write the secret into it, or set SECRET"),
        (b"\n", "is empty"),
        (b"hush\nhush\n", "has several lines; it must hold the secret alone"),
        (b"hush\xff", "byte 4 is not UTF-8"),
        (b"\xff\xfeh\0u\0s\0h\0", "byte 0 is not UTF-8"),
    ],
)
def test_a_file_that_is_no_secret_is_named_and_not_repeated(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        secret.read(file(tmp_path, content), "SECRET", field=FIELD, environ={})

    assert str(caught.value).startswith(f"{FIELD}: {tmp_path / 'password'}")
    assert said in str(caught.value)
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"mqtt\.password_file: .*none: No such file or directory"):
        secret.read(tmp_path / "none", "SECRET", field=FIELD, environ={})


@given(st.text(st.characters(exclude_characters="\r\n\ufeff", exclude_categories=["Cs"]), min_size=1))
def test_any_line_is_read_back_from_a_file_and_from_the_environment(
    tmp_path_factory: pytest.TempPathFactory, word: str
) -> None:
    path = file(tmp_path_factory.mktemp("secret"), word.encode() + b"\n")

    assert secret.read(path, "SECRET", field=FIELD, environ={}) == word
    assert secret.read(None, "SECRET", field=FIELD, environ={"SECRET": word}) == word

"""Files that are written whole or not at all."""

import os
from pathlib import Path

import pytest

from foundation import whole_file


def test_a_file_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old", encoding="utf-8")

    whole_file.write(path, "새 열쇠\n", mode=0o600)

    assert path.read_bytes() == "새 열쇠\n".encode()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    whole_file.write(tmp_path / "data", b"\r\n\xff")

    assert (tmp_path / "data").read_bytes() == b"\r\n\xff"


def test_what_an_earlier_process_of_this_number_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f".data.{os.getpid()}").write_bytes(b"half of")

    whole_file.write(tmp_path / "data", b"whole")

    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("data", b"whole")]


def test_where_it_cannot_be_put_the_old_one_stays_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "inside").touch()

    with pytest.raises(OSError, match="Is a directory"):
        whole_file.write(tmp_path / "data", b"new")

    assert [file.name for file in tmp_path.iterdir()] == ["data"]

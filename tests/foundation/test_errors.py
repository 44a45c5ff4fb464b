"""Which system errors pass by themselves."""

import errno
import os
from pathlib import Path

import pytest

from foundation import errors
from foundation.errors import Misconfigured, TryAgain


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM, errno.EADDRINUSE])
def test_what_passes_by_itself_is_tried_again_with_a_hint(number: int) -> None:
    found = errors.from_os_error(OSError(number, os.strerror(number), "/data/weights"))

    assert isinstance(found, TryAgain)
    assert found.exit_code == 75
    assert str(found).startswith(f"/data/weights: {os.strerror(number)}; ")


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG])
def test_what_the_operator_must_correct_is_misconfigured(number: int) -> None:
    found = errors.from_os_error(OSError(number, os.strerror(number), "/data/weights"))

    assert isinstance(found, Misconfigured)
    assert found.exit_code == 78
    assert str(found) == f"/data/weights: {os.strerror(number)}"


def test_of_a_rename_the_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    with pytest.raises(OSError, match="No such file") as caught:
        (tmp_path / "a").rename(tmp_path / "none" / "b")

    assert str(errors.from_os_error(caught.value)) == f"{tmp_path / 'none' / 'b'}: No such file or directory"


def test_an_error_without_a_number_still_says_something() -> None:
    assert str(errors.from_os_error(OSError("no picture"))) == "no picture"
    assert str(errors.from_os_error(OSError())) == "OSError"


def test_a_place_and_a_remedy_are_named() -> None:
    error = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/data/a")

    assert str(errors.from_os_error(error, "--out b", remedy="name another")) == (
        "--out b: Permission denied; name another"
    )

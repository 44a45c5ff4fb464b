"""The folder of sealed files: whatever happens, within its bounds of size and age."""

import errno
import os
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.evidence import sealed_folder
from edge.evidence.sealed_folder import RESERVE_BYTES, NoRoom, SealedFolder

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def made(folder: Path, max_bytes: int = 1000, keep_hours: float = 10.0, free: int = 1 << 40) -> SealedFolder:
    known = SealedFolder(folder, max_bytes=max_bytes, keep_hours=keep_hours, free=lambda _: free)
    known.begin()
    return known


def hours(folder: Path) -> list[float]:
    return [(entry.at - BEGIN) / HOUR for entry in sealed_folder.entries(folder)]


def test_a_file_says_when_what_and_where(tmp_path: Path) -> None:
    path = made(tmp_path).add(b"x" * 30, BEGIN + HOUR, "traffic accident", "cam-0")

    (entry,) = sealed_folder.entries(tmp_path)
    assert (entry.at, entry.danger, entry.stream, entry.size_bytes) == (BEGIN + HOUR, "traffic-accident", "cam-0", 30)
    assert entry.path == path


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = made(tmp_path / "evidence").add(b"x", BEGIN, "gun", "cam-0")
    finally:
        os.umask(before)

    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_such_as_that_of_the_process_that_sends_reads_nothing_of_it() -> None:
    with tempfile.TemporaryDirectory() as reachable:
        Path(reachable).chmod(0o755)
        path = made(Path(reachable) / "evidence").add(b"x", BEGIN, "gun", "cam-0")
        for command in (["ls", str(path.parent)], ["cat", str(path)]):
            done = subprocess.run(command, user=65534, group=65534, extra_groups=[], capture_output=True, check=False)

            assert done.returncode != 0
            assert b"Permission denied" in done.stderr
            assert done.stdout == b""


def test_two_alarms_of_one_second_are_both_kept(tmp_path: Path) -> None:
    known = made(tmp_path)
    for _ in range(3):
        known.add(b"x", BEGIN, "gun", "cam-0")

    assert [entry.danger for entry in sealed_folder.entries(tmp_path)] == ["gun"] * 3


def test_when_full_the_oldest_goes(tmp_path: Path) -> None:
    known = made(tmp_path, max_bytes=1000)
    for hour in (3, 1, 2, 4, 5):
        known.add(b"x" * 300, BEGIN + hour * HOUR, "gun", "cam-0")

    assert hours(tmp_path) == [3, 4, 5]


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    known = made(tmp_path, keep_hours=10)
    for hour in (0, 1, 2):
        known.add(b"x", BEGIN + hour * HOUR, "gun", "cam-0")

    known.expire(BEGIN + 11.5 * HOUR)

    assert hours(tmp_path) == [2]


def test_a_file_larger_than_the_bound_is_not_written_and_nothing_goes_for_it(tmp_path: Path) -> None:
    known = made(tmp_path, max_bytes=1000)
    known.add(b"x" * 900, BEGIN, "gun", "cam-0")

    with pytest.raises(NoRoom):
        known.add(b"x" * 1001, BEGIN, "gun", "cam-0")

    assert hours(tmp_path) == [0]


def test_on_a_disk_that_is_nearly_full_the_outbox_has_what_is_left(tmp_path: Path) -> None:
    made(tmp_path, max_bytes=1000).add(b"x" * 300, BEGIN, "gun", "cam-0")
    nearly_full = made(tmp_path, max_bytes=1000, free=RESERVE_BYTES)

    nearly_full.add(b"x" * 300, BEGIN + HOUR, "gun", "cam-0")
    assert hours(tmp_path) == [1], "the oldest made room for it"

    with pytest.raises(NoRoom):
        nearly_full.add(b"x" * 301, BEGIN + 2 * HOUR, "gun", "cam-0")


def test_a_disk_that_fills_up_leaves_no_half_file(tmp_path: Path) -> None:
    # A link to /dev/full stands in for the disk: opening works, and writing does not.
    known = made(tmp_path)
    (tmp_path / f"{BEGIN:%Y%m%dT%H%M%SZ}_gun_cam-0.new").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left") as raised:
        known.add(b"x" * 300, BEGIN, "gun", "cam-0")

    assert raised.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def test_what_a_power_cut_left_half_written_goes_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "20260101T000000Z_gun_cam-0.new").write_bytes(b"half")

    made(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_other_files_in_the_folder_are_neither_counted_nor_deleted(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"x" * 5000)
    known = made(tmp_path, max_bytes=1000, keep_hours=1)

    known.add(b"x", BEGIN, "gun", "cam-0")
    known.expire(BEGIN + 99 * HOUR)

    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@settings(max_examples=50)
@given(sizes=st.lists(st.integers(1, 500), min_size=1, max_size=20), bound=st.integers(500, 2000))
def test_the_bound_of_size_holds_after_every_alarm(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], bound: int
) -> None:
    folder = tmp_path_factory.mktemp("evidence")
    known = made(folder, max_bytes=bound)
    for number, size in enumerate(sizes):
        known.add(b"x" * size, BEGIN + number * HOUR, "gun", "cam-0")

        kept = sealed_folder.entries(folder)
        assert sum(entry.size_bytes for entry in kept) <= bound
        assert kept[-1].at == BEGIN + number * HOUR, "the newest is always kept"

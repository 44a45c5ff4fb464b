"""Where frames lie: in memory, and for one user."""

import fcntl
import os
import stat
import time
from pathlib import Path

import pytest

from edge.errors import Misconfigured
from edge.look.camera import frames_folder

IN_MEMORY = pytest.mark.skipif(
    not frames_folder.is_in_memory(frames_folder.SHARED_MEMORY),
    reason="this machine has no memory file system at /dev/shm",
)


@IN_MEMORY
def test_a_device_has_a_folder_in_memory_for_itself(tmp_path: Path) -> None:
    found = frames_folder.prepare(frames_folder.usual(tmp_path / "outbox.sqlite"))
    try:
        assert frames_folder.is_in_memory(found)
        assert stat.S_IMODE(found.stat().st_mode) == 0o700
        assert found == frames_folder.prepare(frames_folder.usual(tmp_path / "outbox.sqlite")), (
            "the next start finds it"
        )
        assert found != frames_folder.usual(tmp_path / "another.sqlite")
    finally:
        found.rmdir()


def test_a_folder_on_a_disk_is_refused(tmp_path: Path) -> None:
    if frames_folder.is_in_memory(tmp_path):
        pytest.skip("the tests' own folder is in memory")

    with pytest.raises(Misconfigured, match="on a disk"):
        frames_folder.prepare(tmp_path / "frames")


@IN_MEMORY
def test_what_another_put_there_is_refused(tmp_path: Path) -> None:
    trap = frames_folder.usual(tmp_path / "outbox.sqlite")
    trap.symlink_to(tmp_path)
    try:
        with pytest.raises(Misconfigured, match="another user's"):
            frames_folder.prepare(trap)
    finally:
        trap.unlink()


def test_the_file_is_named_for_the_camera() -> None:
    assert frames_folder.frames_file(Path("/run/wordcam-frames"), "cam-0") == Path("/run/wordcam-frames/cam-0.frames")


def test_no_folder_is_on_no_memory() -> None:
    assert not frames_folder.is_in_memory(Path("/nowhere"))
    assert os.name == "posix"


def left(tmp_path: Path, name: str, age_seconds: float) -> Path:
    """Make a folder as a process of this user leaves it that was killed so long ago."""
    folder = tmp_path / name
    folder.mkdir()
    frames = folder / "cam-0.frames"
    frames.write_bytes(bytes(4096))
    for path in (frames, folder):
        os.utime(path, (time.time() - age_seconds,) * 2)
    return folder


def test_what_killed_processes_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    mine = f"wordcam-{os.getuid()}"
    own, dead, fresh = (left(tmp_path, f"{mine}-{name}", age) for name, age in (("a", 9999), ("b", 9999), ("c", 60)))
    working, others = left(tmp_path, f"{mine}-d", 9999), left(tmp_path, f"wordcam-{os.getuid() + 1}-e", 9999)
    (tmp_path / f"{mine}-link").symlink_to(others)

    with (working / "cam-0.frames").open("rb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        frames_folder.remove_dead(own, time.time())

    assert not dead.exists()
    assert all((folder / "cam-0.frames").exists() for folder in (own, fresh, working, others))


def test_a_folder_with_something_of_another_kind_in_it_stays(tmp_path: Path) -> None:
    dead = left(tmp_path, f"wordcam-{os.getuid()}-a", 9999)
    (dead / "notes").write_text("mine")
    os.utime(dead / "notes", (0, 0))
    os.utime(dead, (0, 0))

    frames_folder.remove_dead(tmp_path / "own", time.time())

    assert (dead / "notes").exists()

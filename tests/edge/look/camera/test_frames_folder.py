"""Where frames lie: in memory, and for one user."""

import os
import stat
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

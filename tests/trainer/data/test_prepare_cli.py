"""`wordcam-train prepare` as a user runs it: what it shows, a kill on the way, and a disk that is full."""

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.capacity import training_memory
from tests.trainer.workstation import COMMAND, ROOT
from trainer.data.quality import image_check

SMALL_DISK = 96 * 1024
"""Bytes: room for the facts of a few hundred images."""


@dataclass(slots=True)
class SmallDisk:
    """A folder on a disk with little room: a tmpfs where the system lets us mount one, else a limit on files' sizes."""

    folder: Path
    mounted: bool

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run `wordcam-train` with what it writes on this disk."""
        return run(*arguments, "--runs", self.folder, before=None if self.mounted else _limit_files)

    def grow(self) -> None:
        """Return it more room."""
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,size=64m", str(self.folder)], check=True)
        self.mounted = True


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_DISK, SMALL_DISK))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    yield SmallDisk(folder, mounted)
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


def run(*arguments: str | Path, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `wordcam-train prepare`; `before` is called in its process."""
    command = [*COMMAND, "prepare", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment,
        preexec_fn=before,
        check=False,
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe of a generated set of 1,800 images, in COCO's proportions."""
    return training_memory.generate(tmp_path_factory.mktemp("many") / "set", 1727)


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """The recipe of a small generated set, to spoil."""
    return training_memory.generate(tmp_path / "few", 48)


def spoil(recipe: Path) -> None:
    """Remove an image, cut another off, and return a third an empty caption."""
    images = recipe.parent / "images"
    (images / f"train-{3:012}.jpg").unlink()
    cut = images / f"train-{5:012}.jpg"
    cut.write_bytes(cut.read_bytes()[:-30])
    captions = recipe.parent / "captions_train.json"
    document = json.loads(captions.read_text())
    document["annotations"][7]["caption"] = " . "
    captions.write_text(json.dumps(document))


def test_counts_and_a_clean_bill_are_shown(few: Path, tmp_path: Path) -> None:
    done = run(few, "--check", "--runs", tmp_path)

    assert done.returncode == 0, done.stderr
    assert "generated" in done.stdout
    assert "looked at 50 images, opened 50" in done.stdout
    assert "nothing is wrong with the data" in done.stdout
    assert "vocabulary: " in done.stdout
    assert not (tmp_path / "coco-size" / "features").exists()


def test_faults_are_named_and_refused(few: Path, tmp_path: Path) -> None:
    spoil(few)

    done = run(few, "--check", "--runs", tmp_path)

    assert done.returncode == 78
    assert "captions train: 1 images are not there (refused)\n  " in done.stdout
    assert "captions train: 1 images cannot be decoded (refused)\n  " in done.stdout
    assert "generated train: 1 captions have no word (left out)\n  train-000000000007.jpg: ' . '" in done.stdout
    (line,) = done.stderr.splitlines()
    assert "1 images are not there, the first is " in line
    assert "train-000000000005.jpg: image file is truncated" in line


def test_only_so_many_names_are_shown_as_asked_for(few: Path, tmp_path: Path) -> None:
    for number in range(9):
        (few.parent / "images" / f"train-{number:012}.jpg").unlink()

    said = run(few, "--check", "--names", "2", "--runs", tmp_path).stdout

    assert [line for line in said.splitlines() if "train-00" in line] == [
        f"  {few.parent}/images/train-{number:012}.jpg" for number in range(2)
    ]
    assert "  ... and 7 more" in said


def test_json_is_one_object_with_every_name_and_nothing_else(few: Path, tmp_path: Path) -> None:
    spoil(few)
    text = few.read_text()
    few.write_text(text.replace("data:\n", "data:\n  unreadable: skip\n"))

    done = run(few, "--check", "--json", "--runs", tmp_path)

    answer: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert answer["sets"][0] == {"set": "generated", "split": "train", "images": 46, "sentences": 229}
    assert [(found["kind"], found["count"], found["done"]) for found in answer["findings"]] == [
        ("empty_caption", 1, "left out"),
        ("missing", 1, "left out"),
        ("broken", 1, "left out"),
    ]
    assert answer["images"]["seen"] == answer["images"]["opened"] == 50


def test_prepare_killed_on_the_way_opens_no_image_twice(many: Path, tmp_path: Path) -> None:
    total, known, opened = training_memory.kill_and_go_on(many, tmp_path, share=0.25)

    assert image_check.BATCH <= known < total == 1800
    assert opened == total - known


def test_a_full_disk_is_named_and_once_there_is_room_prepare_goes_on(many: Path, small_disk: SmallDisk) -> None:
    full = small_disk.run(many, "--check", "--json")

    assert full.returncode == 75, full.stderr
    assert os.strerror(errno.ENOSPC if small_disk.mounted else errno.EIO) in full.stderr
    assert "images.sqlite" in full.stderr
    assert "run the same command again" in full.stderr
    assert "Traceback" not in full.stderr

    small_disk.grow()
    again = small_disk.run(many, "--check", "--json")

    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["images"]["seen"] == 1800


@pytest.mark.slow
def test_a_disk_that_fills_up_with_features_is_named(few: Path, small_disk: SmallDisk) -> None:
    done = small_disk.run(few)

    assert done.returncode == 75, done.stderr
    assert "run the same command again" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_vocabulary_is_never_half_written(few: Path, tmp_path: Path) -> None:
    assert run(few, "--check", "--runs", tmp_path).returncode == 0
    vocabulary = tmp_path / "coco-size" / "vocabulary.txt"
    before = vocabulary.read_text()
    few.write_text(few.read_text().replace("min_count: 5", "min_count: 1"))

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    done = run(few, "--check", "--runs", tmp_path, before=no_room)

    assert done.returncode == 75, done.stderr
    assert "vocabulary.new" in done.stderr or os.strerror(errno.EFBIG) in done.stderr
    assert vocabulary.read_text() == before


def test_checking_needs_no_tensorflow(few: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from trainer.cli import main; code = main(sys.argv[1:]); "
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules))); sys.exit(code)"
    )
    command = [sys.executable, "-c", script, "prepare", str(few), "--check", "--json", "--runs", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"

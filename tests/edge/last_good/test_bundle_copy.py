"""The copy of the last bundle that worked."""

import os
import shutil
from pathlib import Path

import pytest

from contract import bundle
from edge.last_good.bundle_copy import FORGET_SECONDS, MAX_STARTS, BundleCopy


def another(tiny: Path, folder: Path) -> Path:
    """Write the same bundle by another name, so that its digest is another."""
    copy = shutil.copytree(tiny, folder)
    (copy / "card.md").write_text("another\n", "utf-8")
    manifest = bundle.load(tiny)
    manifest.files["card"] = bundle.describe(copy / "card.md")
    bundle.write(copy, manifest)
    return copy


def test_a_copy_is_the_same_bundle_whatever_becomes_of_the_first(tiny: Path, tmp_path: Path) -> None:
    first = shutil.copytree(tiny, tmp_path / "first")
    contents = bundle.read(first)
    copy = BundleCopy(tmp_path / "state")

    copy.keep(contents)
    shutil.rmtree(first)

    assert copy.read() == contents


def test_the_last_one_takes_the_place_of_the_one_before(tiny: Path, tmp_path: Path) -> None:
    copy = BundleCopy(tmp_path / "state")
    copy.keep(bundle.read(tiny))
    second = bundle.read(another(tiny, tmp_path / "second"))

    copy.keep(second)

    assert copy.read() == second
    assert [place.name for place in (tmp_path / "state").glob("bundle-*")] == [copy.path(second.digest).name]


@pytest.mark.parametrize("file", ["manifest.json", "encoder.tflite"])
def test_a_damaged_copy_counts_as_none(tiny: Path, tmp_path: Path, file: str) -> None:
    copy = BundleCopy(tmp_path / "state")
    copy.keep(bundle.read(tiny))
    os.truncate(copy.path(copy.digest()) / file, 100)

    assert copy.read() is None


def test_a_full_disk_leaves_the_last_one(tiny: Path, tmp_path: Path) -> None:
    copy = BundleCopy(tmp_path / "state")
    first = bundle.read(tiny)
    copy.keep(first)
    (tmp_path / "state" / "bundle-new").write_text("in the way of the next one", "utf-8")

    copy.keep(bundle.read(another(tiny, tmp_path / "second")))

    assert copy.read() == first


def test_starts_are_counted_until_a_bundle_has_worked(tiny: Path, tmp_path: Path) -> None:
    copy = BundleCopy(tmp_path / "state")
    contents = bundle.read(tiny)
    (tmp_path / "state").mkdir()

    starts = [copy.count_start(contents.digest) for _ in range(MAX_STARTS + 2)]
    copy.keep(contents)

    assert starts == [1, 2, 3, 4, 4]
    assert copy.count_start(contents.digest) == 1


def test_after_an_hour_a_bundle_is_tried_again(tmp_path: Path) -> None:
    now = [0.0]
    copy = BundleCopy(tmp_path, lambda: now[0])
    for _ in range(MAX_STARTS + 1):
        copy.count_start("a" * 64)
        now[0] = (tmp_path / "trial.json").stat().st_mtime + 1

    assert copy.count_start("a" * 64) == MAX_STARTS + 1
    now[0] += FORGET_SECONDS
    assert copy.count_start("a" * 64) == 1

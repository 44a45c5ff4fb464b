"""Another bundle while the camera is watched."""

import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract import bundle
from contract.bundle import Manifest
from edge.errors import Misconfigured
from edge.last_good.bundle_copy import MAX_STARTS, BundleCopy
from edge.look.bundle import trial
from edge.look.bundle.loading import Loader
from edge.look.bundle.trial import TrialFailed
from edge.look.bundle.update import CALM_SECONDS, BundleUpdate
from testing.waiting import wait_until

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass
class Attempts:
    """Tries bundles by reading them; those whose version is among `bad` fail."""

    bad: set[str] = field(default_factory=set)
    tried: list[str] = field(default_factory=list)

    def __call__(self, folder: Path, threads: int) -> str:
        contents = bundle.read(folder)
        self.tried.append(contents.manifest.version)
        if contents.manifest.version in self.bad:
            raise TrialFailed("self-test: it says nothing of a picture")
        return contents.digest


@dataclass
class Site:
    """Bundles by version in a folder, and a link to the one that is to be used."""

    tiny: Path
    folder: Path
    attempts: Attempts = field(default_factory=Attempts)
    now: float = 0.0

    @property
    def current(self) -> Path:
        return self.folder / "current"

    @property
    def loader(self) -> Loader:
        return Loader(self.current, 1, BundleCopy(self.folder / "state"), self.attempts, lambda: NOON)

    def put(self, version: str) -> Path:
        place = self.folder / version
        if not place.exists():
            shutil.copytree(self.tiny, place)
            fields = {name: getattr(bundle.load(place), name) for name in Manifest.__struct_fields__}
            bundle.write(place, Manifest(**fields | {"version": version}))
        return place

    def use(self, version: str) -> None:
        """Move the link in one step, as an updater does."""
        draft = self.folder / "next"
        draft.symlink_to(self.put(version).name)
        draft.replace(self.current)

    def begin(self) -> BundleUpdate:
        return BundleUpdate(self.loader, self.loader.open(), lambda _: True, lambda: self.now)

    def keep(self, update: BundleUpdate) -> None:
        update.works()
        wait_until(lambda: self.loader.copy.digest() != "", "the copy")


@pytest.fixture
def site(tiny: Path, tmp_path: Path) -> Site:
    made = Site(tiny, tmp_path)
    made.use("1.0.0")
    return made


def test_another_bundle_is_tried_and_then_used(site: Site) -> None:
    update = site.begin()
    site.use("1.1.0")

    update.look()
    taken = update.take(calm=True)

    assert site.attempts.tried == ["1.1.0"]
    assert taken is not None
    assert taken.captioner.manifest.version == "1.1.0"
    assert update.take(calm=True) is None
    assert update.fallbacks == ()


def test_one_that_fails_its_self_test_is_not_used_and_said(site: Site) -> None:
    site.attempts.bad = {"1.1.0"}
    update = site.begin()
    site.use("1.1.0")

    for _ in range(3):
        update.look()

    assert update.take(calm=True) is None
    assert [fallback.reason for fallback in update.fallbacks] == ["tiny@1.1.0: self-test: it says nothing of a picture"]
    assert site.attempts.tried == ["1.1.0"], "once is enough"


def test_going_back_to_the_one_in_use_ends_the_fallback(site: Site) -> None:
    site.attempts.bad = {"1.1.0"}
    update = site.begin()
    for version in ("1.1.0", "1.0.0"):
        site.use(version)
        update.look()

    assert update.fallbacks == ()
    assert update.take(calm=True) is None


def test_half_a_bundle_is_waited_for(site: Site) -> None:
    update = site.begin()
    card = site.put("1.1.0") / "card.md"
    whole = card.read_bytes()
    card.unlink()
    site.use("1.1.0")

    update.look()
    missing = update.fallbacks
    card.write_bytes(whole)
    update.look()

    assert [fallback.reason for fallback in missing] == ["card.md: No such file or directory; copy the bundle again"]
    assert update.take(calm=True) is not None
    assert update.fallbacks == ()


def test_while_a_danger_stands_the_change_waits_but_not_for_ever(site: Site) -> None:
    update = site.begin()
    site.use("1.1.0")
    update.look()

    assert update.take(calm=False) is None
    site.now += CALM_SECONDS
    assert update.take(calm=False) is not None


def test_after_a_restart_the_last_good_one_replaces_one_that_fails(site: Site) -> None:
    site.keep(site.begin())
    site.attempts.bad = {"1.1.0"}
    site.use("1.1.0")

    opened = site.loader.open()

    assert opened.captioner.manifest.version == "1.0.0"
    assert opened.fallback is not None
    assert opened.fallback.reason.startswith("tiny@1.1.0: self-test")
    update = BundleUpdate(site.loader, opened, lambda _: True)
    update.look()
    assert update.take(calm=True) is None
    assert site.attempts.tried == ["1.1.0"], "the update does not try it again"


@pytest.mark.parametrize("file", ["manifest.json", "encoder.tflite", "vocabulary.txt"])
def test_after_a_power_cut_the_last_good_one_replaces_a_damaged_one(site: Site, file: str) -> None:
    site.keep(site.begin())
    os.truncate(site.current / file, 64)

    opened = site.loader.open()

    assert opened.captioner.manifest.version == "1.0.0"
    assert opened.fallback is not None
    assert opened.fallback.reason.startswith(file)


def test_without_a_last_good_one_a_damaged_bundle_is_the_operators(site: Site) -> None:
    os.truncate(site.current / "encoder.tflite", 64)

    with pytest.raises(Misconfigured, match=r"encoder\.tflite: SHA-256 is"):
        site.loader.open()


def test_a_bundle_that_ends_the_process_again_and_again_is_not_used(site: Site) -> None:
    site.keep(site.begin())
    site.use("1.1.0")

    used = [site.loader.open().captioner.manifest.version for _ in range(MAX_STARTS + 1)]

    assert used == ["1.1.0"] * MAX_STARTS + ["1.0.0"]


def test_a_trial_in_a_process_of_its_own_says_what_it_tried(tiny: Path) -> None:
    assert trial.run(tiny, 1) == bundle.read(tiny).digest


def test_a_trial_says_in_one_line_why_a_bundle_fails(tiny: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny, tmp_path / "broken")
    (folder / "encoder.tflite").write_bytes(b"no model at all")
    manifest = bundle.load(tiny)
    manifest.files["encoder"] = bundle.describe(folder / "encoder.tflite")
    bundle.write(folder, manifest)

    with pytest.raises(TrialFailed, match=r"encoder\.tflite: .*convert the model again"):
        trial.run(folder, 1)


def test_a_trial_that_does_not_answer_has_failed(tiny: Path) -> None:
    with pytest.raises(TrialFailed, match=r"no answer within 0\.001 s"):
        trial.run(tiny, 1, seconds=0.001)

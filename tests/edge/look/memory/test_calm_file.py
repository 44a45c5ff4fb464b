"""The file of a camera's calm: kept over a restart, and begun anew where it cannot be used."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.examples import MANIFEST
from edge.look.memory import calm, calm_file
from edge.look.memory.calm import Bounds, Calm, CalmByLight
from edge.look.memory.camera_memory import SAVE_SECONDS, CameraMemory
from edge.look.memory.reading import Reading

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOUNDS = {"fire": Bounds(), "gun": Bounds()}
UNKNOWN = CalmByLight.unknown(BOUNDS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return calm_file.path_beside(tmp_path / "outbox.sqlite")


def load(path: Path, model: str = "a@1.0.0", stream: str = "cam-0") -> calm_file.Opened:
    return calm_file.load(path, BOUNDS, model=model, stream=stream, now=NOW)


def kept(path: Path) -> CalmByLight:
    calm = CalmByLight.unknown(BOUNDS)
    for number in range(100):
        calm.day.learn({"fire": -number / 10, "gun": -9.0}, 30.0)
    for number in range(50):
        calm.night.learn({"fire": -9.0, "gun": -number / 10}, 60.0)
    calm_file.save(path, calm, model="a@1.0.0", stream="cam-0", since=NOW - timedelta(days=3))
    return calm


def test_what_was_learnt_is_taken_up_after_a_restart(path: Path) -> None:
    calm = kept(path)

    opened = load(path)

    assert opened.calm == calm
    assert (opened.since, opened.reason) == (NOW - timedelta(days=3), "")


def test_of_a_file_that_had_day_and_night_together_both_begin_with_what_was_learnt(path: Path) -> None:
    calm = kept(path)
    older = json.loads(path.read_bytes())
    del older["night"]
    path.write_text(json.dumps(older | {"format": 1}), encoding="utf-8")

    assert load(path) == calm_file.Opened(CalmByLight(calm.day, calm.day), NOW - timedelta(days=3), "")


@pytest.mark.parametrize(("written", "taken"), [(20.0, calm.MAX_RISE), (-20.0, 0.0), (1.5, 1.5)])
def test_a_file_moves_no_threshold_further_than_calm_may(path: Path, written: float, taken: float) -> None:
    moved = CalmByLight(*(Calm(BOUNDS, shifts={"fire": written}) for _ in range(2)))
    calm_file.save(path, moved, model="a@1.0.0", stream="cam-0", since=NOW)

    calm_by_light = load(path).calm
    assert (calm_by_light.day.shift("fire"), calm_by_light.night.shift("fire")) == (taken, taken)


def test_without_a_file_a_camera_begins_to_learn(path: Path) -> None:
    assert load(path) == calm_file.Opened(UNKNOWN, NOW, "")


@pytest.mark.parametrize("damage", [b"", b"{", b"\x00" * 4096, b"[1, 2]", b"x" * (calm_file.MAX_BYTES + 1)])
def test_a_damaged_file_is_begun_anew_and_said_so(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)

    opened = load(path)

    assert (opened.calm, opened.since, opened.reason) == (UNKNOWN, NOW, "damaged file")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_file_with_a_wrong_byte_is_read_or_begun_anew(path: Path, at: int, byte: int) -> None:
    kept(path)
    data = bytearray(path.read_bytes())
    data[at % len(data)] = byte
    path.write_bytes(data)

    assert load(path).calm.day.bounds == BOUNDS


def test_another_bundles_calm_means_nothing_to_this_one(path: Path) -> None:
    kept(path)

    opened = load(path, model="b@2.0.0")

    assert (opened.calm, opened.reason) == (UNKNOWN, "learnt by a@1.0.0 at cam-0")


def test_a_folder_in_its_place_is_begun_anew(path: Path) -> None:
    path.mkdir()

    assert load(path).reason == "unreadable file: Is a directory"


def test_a_file_from_the_future_is_as_old_as_now(path: Path) -> None:
    calm_file.save(
        path,
        CalmByLight(Calm(BOUNDS, 5.0), Calm(BOUNDS)),
        model="a@1.0.0",
        stream="cam-0",
        since=NOW + timedelta(days=9),
    )

    assert load(path).since == NOW


def test_a_forgotten_calm_is_begun_anew(path: Path) -> None:
    kept(path)

    calm_file.forget(path, NOW)

    assert load(path) == calm_file.Opened(UNKNOWN, NOW, "forgotten")


def opened(folder: Path) -> CameraMemory:
    return CameraMemory.open(folder / "outbox.sqlite", MANIFEST, "cam-0", now=NOW, now_seconds=0.0)


def watched(folder: Path, seconds: int) -> CameraMemory:
    memory = opened(folder)
    for number in range(seconds // 30):
        memory.dangers.look({"gun": Reading(-3.0), "fire": Reading(-3.0)}, number * 30.0, NOW)
    return memory


def test_a_camera_that_is_watched_saves_now_and_then(tmp_path: Path) -> None:
    memory = watched(tmp_path, 7200)

    memory.keep(NOW, SAVE_SECONDS - 1)
    assert opened(tmp_path).dangers.calm.seconds == 0

    memory.keep(NOW, SAVE_SECONDS)
    assert opened(tmp_path).dangers.calm.seconds == memory.dangers.calm.seconds > 6000


def test_a_calm_forgotten_by_another_process_is_forgotten_while_watching(tmp_path: Path) -> None:
    memory = watched(tmp_path, 7200)
    memory.save()
    calm_file.forget(calm_file.path_beside(tmp_path / "outbox.sqlite"), NOW)

    memory.keep(NOW, 15.0)

    described = memory.describe(NOW)
    assert described is not None
    assert (described.seconds, described.reason) == (0, "forgotten")


def test_a_status_says_from_which_evidence_each_danger_counts(tmp_path: Path) -> None:
    described = watched(tmp_path, 7200).describe(NOW)

    assert described is not None
    assert [(one.danger, one.evidence) for one in described.thresholds] == [("gun", 0.4), ("fire", 0.1)]
    assert all(0 < one.calm < one.evidence for one in described.thresholds)


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    memory = watched(tmp_path / "gone", 7200)

    memory.save()

    assert memory.dangers.calm.seconds > 0

"""Evidence while watching: a sealed picture where an alarm begins, and never any other."""

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from contract import bundle, caption
from contract.caption import Caption
from edge import config
from edge.evidence import sealed_folder, sealing
from edge.evidence.sealed_folder import FOLDER, SealedFolder
from edge.evidence.sealing import Seal
from edge.infer import image
from edge.infer.captioner import Captioner
from edge.look import evidence
from edge.look.bundle.port import OneBundle
from edge.look.capture_loop import Look
from edge.look.crops import Region
from edge.look.event import Eye
from edge.look.evidence import Evidence
from edge.look.memory.camera_memory import CameraMemory
from edge.look.memory.danger_memory import Belief
from edge.look.wall_clock import WallClock
from edge.outbox import process_report
from edge.outbox.outbox import Outbox
from tests.edge import pictures
from tests.edge.conftest import Write
from tests.edge.look.memory.test_watching import Film
from tests.edge.pictures import BLUE, RED
from tests.edge.program import edge

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EYE = Eye("lab", "dev-1", "cam-0", "tiny@0.1.0", "en")
EVIDENCE = {"fire": 0.9995, "gun": 0.9995, "knife": 0.9995}


@pytest.fixture(scope="module")
def weighing(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle, which takes much red for a fire."""
    copy = shutil.copytree(tiny, tmp_path_factory.mktemp("weighing") / "bundle")
    bundle.write(copy, replace(bundle.load(copy), evidence=EVIDENCE))
    return copy


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    (tmp_path / "outbox").mkdir()
    with Outbox(tmp_path / "outbox" / "outbox.sqlite", 1000) as made:
        yield made


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, Seal]:
    private, public = sealing.new_key()
    path = tmp_path / "private.key"
    path.write_text(private, encoding="utf-8")
    return path, Seal(public)


def keeper(folder: Path, seal: Seal) -> Evidence:
    return Evidence(seal, SealedFolder(folder, max_bytes=1 << 24, keep_hours=72))


def watch(film: Film, folder: Path, box: Outbox, kept: Evidence | None, now: datetime = BEGIN) -> list[Caption]:
    Look(
        film,
        Captioner.open(folder),
        box,
        EYE,
        config.Gate(),
        crops=config.Crops(),
        remember=lambda manifest: CameraMemory.open(box.path, manifest, EYE.stream, now=BEGIN, now_seconds=0.0),
        bundles=OneBundle(),
        fallback=None,
        on_work=lambda: None,
        on_progress=lambda: None,
        wall_clock=WallClock(lambda: BEGIN, lambda: 0.0, BEGIN),
        started_at=0.0,
        evidence=kept,
        now=lambda: now,
    ).run(threading.Event())
    return [caption.decode(found.payload) for found in box.waiting(limit=1000)]


def fires(events: list[Caption]) -> list[Caption]:
    return [event for event in events if any(hazard.probability >= 0.5 for hazard in event.hazards)]


def test_the_moment_of_an_alarm_is_kept_once_and_the_owner_sees_what_the_camera_saw(
    weighing: Path, box: Outbox, tmp_path: Path, key: tuple[Path, Seal]
) -> None:
    private, seal = key
    folder = tmp_path / "evidence"
    folder.mkdir()

    told = fires(watch(Film((BLUE, 4), (RED, 20), (BLUE, 30)), weighing, box, keeper(folder, seal)))

    (entry,) = sealed_folder.entries(folder)
    assert (entry.danger, entry.stream) == ("fire", "cam-0")
    assert timedelta(0) <= told[0].captured_at - entry.at < timedelta(seconds=1)
    opened = sealing.open_sealed(entry.path, private)
    assert b"lab/dev-1/cam-0 2026-01-01T00:00:0" in opened[:200]
    seen = image.decode_bgr(opened, "evidence")
    assert seen.shape == (120, 160, 3)
    assert np.abs(seen[60, 80].astype(int) - RED[::-1]).max() < 12


def test_each_alarm_is_kept(weighing: Path, box: Outbox, tmp_path: Path, key: tuple[Path, Seal]) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()

    watch(Film((BLUE, 4), (RED, 10), (BLUE, 30), (RED, 10)), weighing, box, keeper(folder, key[1]))

    assert [entry.danger for entry in sealed_folder.entries(folder)] == ["fire", "fire"]


def test_in_calm_no_picture_is_written(weighing: Path, box: Outbox, tmp_path: Path, key: tuple[Path, Seal]) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()

    assert watch(Film((BLUE, 20)), weighing, box, keeper(folder, key[1]))

    assert list(folder.iterdir()) == []


def test_off_by_default_no_picture_is_written_anywhere(weighing: Path, box: Outbox, tmp_path: Path) -> None:
    told = fires(watch(Film((BLUE, 4), (RED, 20)), weighing, box, None))

    assert told
    assert not process_report.read(box, process_report.LOOK).keeps_evidence
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not any(b"\xff\xd8\xff" in path.read_bytes() or path.suffix == ".age" for path in written)


def test_where_nothing_can_be_written_the_alarm_goes_out_all_the_same(
    weighing: Path, box: Outbox, tmp_path: Path, key: tuple[Path, Seal]
) -> None:
    (tmp_path / "evidence").write_text("a file where the folder should be", encoding="utf-8")

    told = fires(watch(Film((BLUE, 4), (RED, 20)), weighing, box, keeper(tmp_path / "evidence", key[1])))

    assert told


def test_the_note_says_that_evidence_is_kept(
    weighing: Path, box: Outbox, tmp_path: Path, key: tuple[Path, Seal]
) -> None:
    (tmp_path / "evidence").mkdir()

    watch(Film((BLUE, 1)), weighing, box, keeper(tmp_path / "evidence", key[1]))

    assert process_report.read(box, process_report.LOOK).keeps_evidence


def test_the_part_that_is_kept_lies_around_the_danger_and_within_the_frame() -> None:
    frame = np.zeros((1000, 2000, 3), np.uint8)

    assert evidence.part(frame, None).shape == frame.shape
    assert evidence.part(frame, Region(0.4, 0.4, 0.1, 0.9, 0.1)).shape == (300, 600, 3)
    assert evidence.part(frame, Region(0.9, 0.9, 0.1, 0.9, 0.1)).shape == (300, 600, 3)
    assert evidence.part(frame, Region(0.1, 0.1, 0.8, 0.9, 0.1)).shape == frame.shape
    frame[450, 900] = 255
    assert evidence.part(frame, Region(0.4, 0.4, 0.1, 0.9, 0.1)).max() == 255


def test_a_picture_of_noise_is_made_smaller_until_it_fits() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2160, 3840, 3), np.uint8)

    file = evidence.jpeg(noise)

    assert len(file) <= evidence.MAX_FILE_BYTES
    assert max(image.decode_bgr(file, "noise").shape) > 320


def test_a_comment_leaves_the_picture_as_it_was() -> None:
    plain = image.encode_jpeg(pictures.plain(RED))

    said = evidence.with_comment(plain, "누가 · who")

    assert np.array_equal(image.decode_bgr(said, "said"), image.decode_bgr(plain, "plain"))
    assert "누가 · who".encode() in said


def test_an_old_picture_goes_while_the_camera_is_watched(tmp_path: Path, key: tuple[Path, Seal]) -> None:
    (tmp_path / "evidence").mkdir()
    kept = keeper(tmp_path / "evidence", key[1])
    kept.keep(pictures.plain(RED), Belief("fire", 0.9, 0.9, 0.0, None), BEGIN, EYE)
    assert sealed_folder.entries(tmp_path / "evidence")

    kept.expire(BEGIN + timedelta(hours=73))

    assert sealed_folder.entries(tmp_path / "evidence") == []


def test_the_closed_process_keeps_evidence_in_its_own_folder_and_check_says_that_it_is_on(
    weighing: Path, tmp_path: Path, write_config: Write
) -> None:
    private, public = sealing.new_key()
    (tmp_path / "private.key").write_text(private, encoding="utf-8")
    pictures.folder(tmp_path / "frames", [BLUE] * 4 + [RED] * 8)
    (tmp_path / "outbox").mkdir()
    path = write_config(bundle=str(weighing), outbox={"path": "outbox/outbox.sqlite"}, evidence={"public_key": public})

    done = edge("look", "--config", path)

    assert done.returncode == 0, done.stderr
    (entry,) = sealed_folder.entries(tmp_path / "edge.state" / "look" / FOLDER)
    assert entry.danger == "fire"
    assert image.decode_bgr(sealing.open_sealed(entry.path, tmp_path / "private.key"), "evidence").shape == (
        120,
        160,
        3,
    )
    assert (
        f"evidence: ON: a picture of each alarm is kept here, sealed for {public}"
        in edge("check", "--config", path).stdout
    )

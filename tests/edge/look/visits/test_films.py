"""Visits over real films, by the model that comes along."""

import itertools
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import UNSET

from contract import caption
from contract.caption import Caption, Phase
from edge import config
from edge.infer.captioner import Captioner
from edge.look.bundle.port import OneBundle
from edge.look.camera import replay
from edge.look.capture_loop import Look
from edge.look.event import Eye
from edge.look.memory.camera_memory import CameraMemory
from edge.look.visits.journal import Journal
from edge.look.wall_clock import WallClock
from edge.outbox.outbox import Outbox
from tests.edge import pictures

ROOT = Path(__file__).resolve().parents[4]
CLIPS = ROOT.parent / "shared" / "data" / "clips"
EYE = Eye("lab", "dev-1", "cam-0", "wordcam-1@2.5.0", "en")
LOWER_HALF = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))


def film(name: str) -> Path:
    if name == "bikes":
        return pictures.bikes()
    path = CLIPS / f"{name}.mp4"
    if not path.exists():
        pytest.skip(f"{path} is not here: films of people are not part of the source")
    return path


def told(path: Path, folder: Path, *, follows: bool) -> list[Caption]:
    """Return what is written of a film, with or without following people."""
    captioner = Captioner.open(ROOT / "models" / "wordcam-1")
    ids = itertools.count(1)
    journal = Journal(config.Visits(), {"lower-half": LOWER_HALF}, lambda: f"visit-{next(ids)}")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    folder.mkdir()
    with Outbox(folder / "outbox.sqlite", 1000) as outbox:
        camera = replay.open_camera(config.Replay(path=path, pace="fast"), threading.Event().wait)
        look = Look(
            camera,
            captioner,
            outbox,
            EYE,
            config.Gate(),
            crops=config.Crops(),
            remember=lambda manifest: CameraMemory.open(outbox.path, manifest, EYE.stream, now=now, now_seconds=0.0),
            bundles=OneBundle(),
            fallback=None,
            on_work=lambda: None,
            on_progress=lambda: None,
            wall_clock=WallClock(lambda: now, lambda: 0.0, now),
            started_at=0.0,
            journal=journal if follows else None,
            now=lambda: now,
        )
        look.run(threading.Event())
        return [caption.decode(row.payload) for row in outbox.waiting(limit=1000)]


@pytest.mark.parametrize("name", ["bikes", "street_calm"])
def test_a_film_is_told_as_visits_in_fewer_captions(name: str, tmp_path: Path) -> None:
    path = film(name)

    before = told(path, tmp_path / "before", follows=False)
    after = told(path, tmp_path / "after", follows=True)

    assert 1 <= len(after) <= len(before)
    assert all(event.people is not UNSET for event in after)
    phases: dict[str, list[Phase]] = {}
    for event in after:
        for visit in event.visits or ():
            phases.setdefault(visit.id, []).append(visit.phase)
    for story in phases.values():
        assert story[0] is Phase.ARRIVES
        assert Phase.ARRIVES not in story[1:]
        assert Phase.LEAVES not in story[:-1]
    assert all(len(caption.encode(event)) <= 2048 for event in after)


def test_without_a_journal_no_caption_says_who_is_in_view(tmp_path: Path) -> None:
    events = told(film("bikes"), tmp_path / "before", follows=False)

    assert {event.people for event in events} == {event.visits for event in events} == {UNSET}

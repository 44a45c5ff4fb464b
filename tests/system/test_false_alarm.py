"""A false alarm from end to end: a device alarms, a guard denies it, and the device is silent about the same sight."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from broker.incidents import raised_thresholds, responses, store
from broker.store.engine import reading, writing
from contract import bundle, thresholds
from contract.caption import Caption
from contract.thresholds import Thresholds
from edge.infer.captioner import Captioner
from edge.outbox import raised_thresholds as received
from edge.outbox.outbox import Outbox
from tests.broker.device import said
from tests.broker.scene import Scene, empty_database
from tests.edge.look.memory.test_watching import BEGIN, EYE, Film, ongoing, watch
from tests.edge.pictures import BLUE, RED

LATER = BEGIN + timedelta(minutes=1)


@pytest.fixture(scope="module")
def weighing(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Captioner:
    copy = shutil.copytree(tiny, tmp_path_factory.mktemp("weighing") / "bundle")
    bundle.write(copy, replace(bundle.load(copy), evidence={"fire": 0.9995, "gun": 0.9995, "knife": 0.9995}))
    return Captioner.open(copy)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    folder = tmp_path / "server"
    folder.mkdir()
    made = Scene(folder, template=empty_database(tmp_path))
    yield made
    made.engine.dispose()


def deny(scene: Scene, seen: list[Caption]) -> Thresholds:
    """Let the server hear captions, deny what it makes of them, and return what it sends to the device."""
    scene.processor.process([said(caption) for caption in seen])
    with writing(scene.engine) as connection:
        (incident,) = store.now_open(connection)
        responses.false_alarm(connection, incident.id, by="guard", how="console", at=LATER)
    with reading(scene.engine) as connection:
        return raised_thresholds.message(connection, EYE.site, EYE.device, at=LATER)


def test_what_a_guard_denied_is_no_alarm_again_and_what_is_taken_back_is(
    weighing: Captioner, scene: Scene, tmp_path: Path
) -> None:
    with Outbox(tmp_path / "outbox.sqlite", 1000) as box:
        seen = watch(Film((BLUE, 2), (RED, 6)), weighing, box)
        sent = thresholds.encode(deny(scene, seen))

        received.leave(box, thresholds.decode(sent))
        again = watch(Film((BLUE, 2), (RED, 6)), weighing, box)[len(seen) :]
        received.leave(box, replace(thresholds.decode(sent), raised=()))
        taken_back = watch(Film((BLUE, 2), (RED, 6)), weighing, box)[len(seen) + len(again) :]

    assert [any(ongoing(captions)) for captions in (seen, again, taken_back)] == [True, False, True]

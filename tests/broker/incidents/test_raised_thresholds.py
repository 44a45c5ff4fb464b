"""A false alarm raises the threshold of what stood at its cameras: its device hears that, and it can be taken back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, Engine, insert

from broker.incidents import raised_thresholds, responses, store
from broker.incidents.raised_thresholds import RAISED_FOR
from broker.ingest.threshold_publisher import PERIOD_SECONDS, ThresholdPublisher
from broker.store.engine import reading, writing
from broker.store.tables import core
from contract import thresholds
from contract.caption import Hazard
from contract.thresholds import MAX_RAISED, Raised
from tests.broker.device import NOON, Clock, event, said
from tests.broker.scene import Scene, empty_database

LATER = NOON + timedelta(seconds=1)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def scene(empty: Path, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, template=empty)
    yield made
    made.engine.dispose()


def see(scene: Scene, number: int, *hazards: Hazard, text: str = "a fire", stream: str = "cam-0") -> int:
    """Let a camera say something with what it remembers, and give the open incident."""
    caption = msgspec.structs.replace(event(text, seq=number, stream=stream), hazards=hazards)
    scene.processor.process([said(caption)])
    with reading(scene.engine) as connection:
        return store.now_open(connection)[-1].id


def deny(scene: Scene, incident: int) -> None:
    with writing(scene.engine) as connection:
        responses.false_alarm(connection, incident, by="guard", how="console", at=LATER)


def raised(engine: Engine) -> list[Raised]:
    with reading(engine) as connection:
        return list(raised_thresholds.message(connection, "north-gate", "pi-01", at=LATER).raised)


def test_a_false_alarm_raises_what_stood_to_its_highest_evidence(scene: Scene) -> None:
    see(scene, 1, Hazard("fire", 0.9, 0.7, NOON), Hazard("smoke", 0.3, 0.9))
    incident = see(scene, 2, Hazard("fire", 0.9, 0.8, NOON))

    deny(scene, incident)

    assert raised(scene.engine) == [Raised("cam-0", "fire", 0.8, LATER + RAISED_FOR)]


def test_each_camera_of_the_incident_is_raised_for_itself(scene: Scene) -> None:
    see(scene, 1, Hazard("fire", 0.9, 0.7, NOON))
    incident = see(scene, 2, Hazard("fire", 0.9, 0.6, NOON), stream="cam-1")

    deny(scene, incident)

    assert [(one.stream, one.evidence) for one in raised(scene.engine)] == [("cam-0", 0.7), ("cam-1", 0.6)]


def test_a_device_that_says_nothing_of_its_evidence_is_left_alone(scene: Scene) -> None:
    deny(scene, see(scene, 1, Hazard("fire", 0.9)))

    assert raised(scene.engine) == []


def test_a_danger_that_was_real_raises_nothing(scene: Scene) -> None:
    incident = see(scene, 1, Hazard("fire", 0.9, 0.7, NOON))

    with writing(scene.engine) as connection:
        responses.resolve(connection, incident, by="guard", how="console", at=LATER)

    assert raised(scene.engine) == []


def test_an_incident_that_is_over_is_not_counted_again(scene: Scene) -> None:
    incident = see(scene, 1, Hazard("fire", 0.9, 0.7, NOON))
    deny(scene, incident)
    deny(scene, incident)

    with reading(scene.engine) as connection:
        assert len(raised_thresholds.newest(connection)) == 1


def test_a_second_false_alarm_keeps_the_higher_evidence_and_the_later_end(scene: Scene) -> None:
    with writing(scene.engine) as connection:
        for evidence, days in ((0.9, 0), (0.6, 3)):
            add(connection, evidence=evidence, at=NOON + timedelta(days=days) - timedelta(days=4))

    assert raised(scene.engine) == [Raised("cam-0", "fire", 0.9, NOON - timedelta(days=1) + RAISED_FOR)]


def test_what_is_taken_back_holds_no_longer_and_is_told_who_did_it(scene: Scene) -> None:
    deny(scene, see(scene, 1, Hazard("fire", 0.9, 0.7, NOON)))
    with writing(scene.engine) as connection:
        number = raised_thresholds.newest(connection)[0].id
        taken = [raised_thresholds.take_back(connection, number, by="chief", at=LATER) for _ in range(2)]

    assert taken == [True, False]
    assert raised(scene.engine) == []
    with reading(scene.engine) as connection:
        (kept,) = raised_thresholds.newest(connection)
    assert (kept.ended_by, kept.holds_at(LATER)) == ("chief", False)


def test_what_has_ended_by_itself_is_sent_no_more(scene: Scene) -> None:
    deny(scene, see(scene, 1, Hazard("fire", 0.9, 0.7, NOON)))

    with reading(scene.engine) as connection:
        assert raised_thresholds.in_force(connection, at=LATER + RAISED_FOR) == []
        assert raised_thresholds.message(connection, "north-gate", "pi-01", at=LATER + RAISED_FOR).raised == ()


def test_a_device_with_many_false_alarms_is_sent_those_that_last_longest(scene: Scene) -> None:
    with writing(scene.engine) as connection:
        for number in range(20):
            add(connection, stream=f"cam-{number}", at=NOON - timedelta(hours=number))

    found = raised(scene.engine)

    assert [one.stream for one in found] == [f"cam-{number}" for number in range(MAX_RAISED)]


def add(connection: Connection, *, at: datetime, evidence: float = 0.7, stream: str = "cam-0") -> None:
    """Write a row as a false alarm does."""
    row = {"site": "north-gate", "device": "pi-01", "stream": stream, "danger": "fire", "evidence": evidence}
    row |= {"incident_id": 1, "raised_at": at, "until": at + RAISED_FOR, "ended_by": "", "sent_at": None}
    connection.execute(insert(core.raised_threshold), row)


@dataclass
class Server:
    """A connection whose server confirms when a test says so."""

    owes: bool = False
    kept: dict[str, bytes] = field(default_factory=dict)
    published: int = 0

    def retain(self, topic: str, payload: bytes) -> None:
        self.kept[topic] = payload
        self.published += 1
        self.owes = True


TOPIC = "wordcam/v1/north-gate/pi-01/thresholds"


@dataclass
class Publishing:
    """A publisher by clocks that a test moves."""

    scene: Scene
    server: Server = field(default_factory=Server)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.publisher = ThresholdPublisher(self.scene.engine, now=Clock(LATER), clock=lambda: self.seconds)

    def turn(self) -> None:
        self.seconds += PERIOD_SECONDS
        self.publisher.work(self.server)


def test_a_device_is_sent_its_thresholds_once_they_are_confirmed_no_more(scene: Scene) -> None:
    publishing = Publishing(scene)
    publishing.turn()
    assert publishing.server.published == 0
    deny(scene, see(scene, 1, Hazard("fire", 0.9, 0.7, NOON)))

    publishing.turn()
    assert thresholds.decode(publishing.server.kept[TOPIC], site="north-gate", device="pi-01").raised[0].evidence == 0.7

    publishing.turn()
    assert publishing.server.published == 1, "the server has not confirmed it, and may yet"

    publishing.server.owes = False
    publishing.turn()
    publishing.turn()
    assert publishing.server.published == 1


def test_what_is_taken_back_is_sent_as_an_empty_list(scene: Scene) -> None:
    publishing = Publishing(scene)
    deny(scene, see(scene, 1, Hazard("fire", 0.9, 0.7, NOON)))
    publishing.turn()
    publishing.server.owes = False
    publishing.turn()

    with writing(scene.engine) as connection:
        raised_thresholds.take_back(connection, 1, by="chief", at=LATER)
    publishing.turn()

    assert thresholds.decode(publishing.server.kept[TOPIC]).raised == ()


def test_a_new_connection_is_told_everything_in_force_again(scene: Scene) -> None:
    publishing = Publishing(scene)
    deny(scene, see(scene, 1, Hazard("fire", 0.9, 0.7, NOON)))
    publishing.turn()
    publishing.server.owes = False
    publishing.turn()

    publishing.server = Server()
    publishing.turn()

    assert list(publishing.server.kept) == [TOPIC]

"""Whatever happens, a danger that was seen is told to someone, or somebody decided otherwise and it is written down."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from broker.config.broker import Recipient
from broker.config.database import Database
from broker.config.incidents import Escalation, Incidents, Inhibition, Joining, Step
from broker.config.section import at_least
from broker.incidents import responses, silence
from broker.incidents.silence import Silence
from broker.notify import contacts, notifications
from broker.notify.notifications import Kind
from broker.store.engine import reading, writing
from broker.store.outcome import Outcome
from broker.store.tables import core
from tests.broker.scene import Scene, empty_database

GUARD = Recipient(name="guard", phone="+12025550143", quiet_hours=("22:00-06:00",), max_per_hour=3)
CHIEF = Recipient(name="chief", phone="+12025550178", max_per_hour=2, min_severity="critical")
DESK = Recipient(name="desk", phone="+12025550190", dangers=("fall",), quiet_passes=None, quiet_hours=("sun",))

PEOPLE = (GUARD, CHIEF, DESK)

RULES = Incidents(
    inhibit=(Inhibition(during=("fire",), hold_back=("smoke",)),),
    join=(Joining(during=("gun",), joins=("fire",)), Joining(during=("fire",), joins=("gun",))),
    escalation=(Escalation(steps=(Step(after_minutes=5, notify=("chief",)),)),),
)

SENTENCES = ("a gun", "a fire", "thick smoke", "a fire with smoke", "a person falls", "a person lies there", "a dog")

DECIDED = {Outcome.SILENCED, Outcome.CLOSED, Outcome.NOBODY, Outcome.CANCELLED, Outcome.NOT_YET}
"""Outcomes by which a person or a rule decided that nobody is told."""

template: list[Path] = []
"""A file to begin with."""

postgresql: list[Callable[[], Database]] = []
"""Makes databases, where it is PostgreSQL's turn."""


class ControlRoom(RuleBasedStateMachine):
    """Cameras, time, people and a provider, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        database = postgresql[0]() if postgresql else None
        self.scene = Scene(
            Path(self.folder.name), people=PEOPLE, settings=RULES, template=template[0], database=database
        )

    @initialize(hour=st.integers(0, 7 * 24 - 1))
    def begin(self, hour: int) -> None:
        self.scene.clock.now = datetime(2026, 3, 9, tzinfo=UTC) + timedelta(hours=hour)

    @rule(text=st.sampled_from(SENTENCES), camera=st.sampled_from(("cam-0", "cam-1")))
    def say(self, text: str, camera: str) -> None:
        self.scene.say(text, camera=camera)

    @rule(seconds=st.sampled_from((1, 30, 200, 700, 4000, 20_000)))
    def time_passes(self, seconds: int) -> None:
        self.scene.clock.now += timedelta(seconds=seconds)

    @rule()
    def scheduler(self) -> None:
        self.scene.walk()

    @rule(dead=st.sets(st.sampled_from(("guard", "chief"))))
    def deliver(self, dead: set[str]) -> None:
        self.scene.deliver(rejected=sorted(dead))

    @rule(danger=st.sampled_from(("gun", "fire", "smoke", "fall")), minutes=st.sampled_from((1, 30, 600)))
    def silence(self, danger: str, minutes: int) -> None:
        now = self.scene.now
        quiet = Silence("guard", "known", {"danger": (danger,)}, now, now + timedelta(minutes=minutes))
        self.scene.do(silence.add, quiet)

    @precondition(lambda self: self.scene.incidents)
    @rule(data=st.data(), answer=st.sampled_from((responses.acknowledge, responses.resolve, responses.false_alarm)))
    def answer(self, data: st.DataObject, answer: Any) -> None:
        incident = data.draw(st.sampled_from(self.scene.incidents))
        self.scene.do(answer, incident.id, by="guard", how="console")

    @rule(name=st.sampled_from(("guard", "chief")), hours=st.sampled_from((1, 12)))
    def goes_away(self, name: str, hours: int) -> None:
        with writing(self.scene.engine) as connection:
            contacts.set_away(connection, name, until=self.scene.now + timedelta(hours=hours), because="off duty")

    def teardown(self) -> None:
        try:
            self.scene.pass_by(hours=3, minutes=15)
            self.scene.pass_by(hours=60, minutes=180)
            self._everything_is_told()
            self._nobody_is_told_too_often()
        finally:
            self.scene.close()
            self.folder.cleanup()

    def _everything_is_told(self) -> None:
        with reading(self.scene.engine) as connection:
            decisions = connection.execute(select(core.decision)).all()
            notices = {one.id: notifications.send_status(connection, one.id) for one in self.scene.incidents}
        incidents = {one.id: one for one in self.scene.incidents}
        for decision in decisions:
            assert decision.because
            if Outcome(decision.outcome) not in DECIDED:
                assert decision.incident_id is not None
                notice = notices[decision.incident_id]
                assert notice.sent_at or notice.failed_at, decision  # given up loudly, where numbers are dead
        for incident in incidents.values():
            assert incident.state.is_over, incident
            muted = "muted" in self.scene.kinds(incident.id)
            if incident.notified is not None and not incident.closed_by and not muted:
                assert at_least(incident.notified.severity, incident.severity), incident
                assert set(incident.cameras) <= set(incident.notified.cameras), incident
        assert {one.state for one in self.scene.alerts} <= {"sent", "dead", "digested"}

    def _nobody_is_told_too_often(self) -> None:
        for person in PEOPLE:
            own = [one for one in self.scene.alerts if one.recipient == person.name and one.state == "sent"]
            counted = [one for one in own if one.kind not in (Kind.DIGEST, Kind.RESOLVED)]
            known: set[int | None] = set()
            for one in sorted(counted, key=lambda one: (one.due_at, one.id)):
                hour = [other for other in counted if timedelta(0) < one.due_at - other.due_at < timedelta(hours=1)]
                news = one.severity == "critical" and one.incident_id not in known
                assert news or len(hour) < person.max_per_hour, one
                if one.severity == "critical":
                    known.add(one.incident_id)


@pytest.fixture(scope="module", autouse=True)
def _database(tmp_path_factory: pytest.TempPathFactory) -> None:
    template[:] = [empty_database(tmp_path_factory.mktemp("never-lost"))]


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 40), ("postgresql", 4)])
def test_an_alert_is_never_lost(kind: str, examples: int, request: pytest.FixtureRequest) -> None:
    postgresql[:] = [request.getfixturevalue("new_postgresql")] if kind == "postgresql" else []

    run_state_machine_as_test(
        ControlRoom,
        settings=settings(
            max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

"""What is in the database, and what is answered, after a batch."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from broker.config.broker import Recipient
from broker.config.database import Database
from broker.config.errors import Locked
from broker.config.incidents import Incidents
from broker.config.sites import Places
from broker.incidents.grouping import Grouper
from broker.incidents.presence import devices
from broker.ingest.batch import Acknowledgement, BatchProcessor, acknowledgements
from broker.ingest.decoder import Message, Rejection
from broker.notify import notifications, reasons
from broker.notify.reasons import NotifiedAs
from broker.ports import NoMetrics
from broker.rules import compiler
from broker.rules.reasons import OnlyIn, Says
from broker.store.engine import open_database, reading, writing
from broker.store.tables import core
from contract import ack
from contract.ack import Ack, Refusal
from contract.status import Ledger, State
from contract.topics import Address
from tests.broker.device import GUARD, NOON, Clock, event, said, stated
from tests.broker.device import status as status_of
from tests.broker.running_service import RULES
from tests.broker.scene import make_processor


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def processor(engine: Engine, clock: Clock) -> BatchProcessor:
    return make_processor(engine, compiler.load(RULES), [GUARD], clock=clock)


def rows(engine: Engine, table: Any) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(select(table)))


def outcomes(engine: Engine) -> list[tuple[str, str]]:
    return [(row.rule, row.outcome) for row in rows(engine, core.decision)]


def deliver_all(engine: Engine, at: datetime) -> None:
    """Mark every open alert as sent."""
    with writing(engine) as connection:
        while (alert := notifications.next_due(connection, at=at)) is not None:
            notifications.mark_sent(connection, alert.id, provider_id=f"SM{alert.id}", at=at)


def test_a_caption_is_stored_as_it_was_said(processor: BatchProcessor, engine: Engine) -> None:
    caption_ = event("a man walks", hazards={"gun": 0.1})

    told = processor.process([said(caption_)])

    (row,) = rows(engine, core.caption)
    assert (row.text, row.captured_at, row.event_id) == ("a man walks", caption_.captured_at, caption_.id)
    assert row.hazards == [{"term": "gun", "probability": 0.1}]
    assert told == [Acknowledgement("north-gate", "pi-01", Ack(stored=(caption_.id,)))]


def test_a_repeat_is_acknowledged_again_and_stored_once(processor: BatchProcessor, engine: Engine) -> None:
    gun = event("a gun")

    told = [*processor.process([said(gun), said(gun)]), *processor.process([said(gun)])]

    assert [answer.ack.stored for answer in told] == [(gun.id, gun.id), (gun.id,)]
    assert len(rows(engine, core.caption)) == 1
    assert len(rows(engine, core.alert)) == 1
    assert (processor.counts.captions, processor.counts.duplicates) == (1, 2)


def test_the_same_id_from_another_camera_is_another_event(processor: BatchProcessor, engine: Engine) -> None:
    processor.process([said(event()), said(event(stream="cam-1"))])

    assert len(rows(engine, core.caption)) == 2


def test_what_is_refused_is_counted_sampled_and_named(processor: BatchProcessor, engine: Engine) -> None:
    broken = Message("wordcam/v1/north-gate/pi-01/caption", b'{"id": "event-77", "text": ""}')

    told = processor.process([broken, broken])

    (row,) = rows(engine, core.refusal)
    assert (row.reason, row.count, row.sample) == ("schema", 2, broken.payload)
    assert told == [Acknowledgement("north-gate", "pi-01", Ack(refused=(Refusal("event-77", "schema"),) * 2))]
    assert processor.counts.refused == {"schema": 2}


def test_a_bad_message_does_not_hold_up_the_good_ones_beside_it(processor: BatchProcessor, engine: Engine) -> None:
    processor.process([Message("nonsense", b"\xff"), said(event()), Message("wordcam/v1/a/b/caption", b"")])

    assert len(rows(engine, core.caption)) == 1
    assert sum(processor.counts.refused.values()) == 2


def test_invented_topics_do_not_fill_the_disk(processor: BatchProcessor, engine: Engine) -> None:
    processor.process([Message(f"invented/{number}", b"x" * 5000) for number in range(1100)])

    kept = rows(engine, core.refusal)
    assert len(kept) == 1001
    assert sum(row.count for row in kept) == 1100
    assert max(len(row.sample) for row in kept) == 512


def test_a_locked_database_stores_nothing_and_says_so(
    processor: BatchProcessor, engine: Engine, database: Database
) -> None:
    other = open_database(database)
    with writing(other), pytest.raises(Locked, match=r"database is locked|lock timeout"):
        processor.process([said(event("a gun"))])
    other.dispose()

    assert processor.counts.captions == 0
    processor.process([said(event("a gun"))])
    assert len(rows(engine, core.caption)) == 1


def test_a_danger_is_told_once_until_it_has_cooled_down(
    processor: BatchProcessor, engine: Engine, clock: Clock
) -> None:
    processor.process([said(event("a gun", seq=1))])
    processor.process([said(event("a gun", seq=2))])
    clock.now += timedelta(minutes=30)
    processor.process([said(event("a gun", seq=3, captured_at=clock.now))])
    deliver_all(engine, clock.now)
    clock.now += timedelta(minutes=9)
    processor.process([said(event("a gun", seq=4, captured_at=clock.now))])
    clock.now += timedelta(minutes=1)
    processor.process([said(event("a gun", seq=5, captured_at=clock.now))])

    assert [outcome for _, outcome in outcomes(engine)] == ["first", "waiting", "waiting", "too-soon", "repeat"]
    assert len(rows(engine, core.alert)) == 2


def test_each_site_and_each_rule_cools_down_on_its_own(processor: BatchProcessor, engine: Engine) -> None:
    processor.process([said(event("a gun")), said(event("a gun", site="south-gate")), said(event("a fire", seq=1))])

    assert outcomes(engine) == [("gun", "first"), ("gun", "first"), ("fire", "first")]


def test_one_person_who_cannot_be_reached_does_not_silence_the_others(engine: Engine, clock: Clock) -> None:
    people = [GUARD, Recipient(name="chief", phone="+12025550178")]
    processor = make_processor(engine, compiler.load(RULES), people, clock=clock)
    processor.process([said(event("a gun", seq=1))])
    clock.now += timedelta(seconds=1)
    with writing(engine) as connection:
        first = notifications.next_due(connection, at=clock.now)
        assert first is not None
        notifications.mark_sent(connection, first.id, provider_id="SM1", at=clock.now)
    clock.now += timedelta(minutes=10)

    processor.process([said(event("a gun", seq=2))])

    assert outcomes(engine)[-1] == ("gun", "repeat")


def test_a_caption_of_two_dangers_is_one_message(processor: BatchProcessor, engine: Engine) -> None:
    processor.process([said(event("a building is on fire with thick smoke"))])

    assert len(rows(engine, core.alert)) == 1
    assert outcomes(engine) == [("fire", "first"), ("smoke", "told-as")]
    assert reasons.decode(rows(engine, core.decision)[1].because) == (Says("smoke"), NotifiedAs("fire"))


def test_everyone_who_wants_it_is_told_in_their_language(engine: Engine, clock: Clock) -> None:
    people = [
        Recipient(name="here", phone="+12025550143", language="ko", sites=("north-gate",)),
        Recipient(name="there", phone="+12025550143", sites=("south-gate",)),
        Recipient(name="only the worst", phone="+12025550143", min_severity="critical"),
    ]
    processor = make_processor(engine, compiler.load(RULES), people, clock=clock)

    processor.process([said(event("a man is falling to the floor"))])

    assert [(row.recipient, row.language) for row in rows(engine, core.alert)] == [("here", "ko")]


def test_where_nobody_wants_to_know_the_decision_is_still_kept(engine: Engine, clock: Clock) -> None:
    processor = make_processor(engine, compiler.load(RULES), [], clock=clock)

    processor.process([said(event("a gun"))])

    assert outcomes(engine) == [("gun", "nobody")]


def test_a_cancelled_danger_is_kept_with_its_reason(processor: BatchProcessor, engine: Engine) -> None:
    processor.process([said(event("a red fire hydrant"))])

    (row,) = rows(engine, core.decision)
    assert (row.outcome, reasons.decode(row.because)) == ("cancelled", (OnlyIn("fire hydrant"),))


def test_hostile_words_are_only_words(processor: BatchProcessor, engine: Engine) -> None:
    text = "a gun'); DROP TABLE caption; -- <script>alert(1)</script> =cmd|' /C calc'!A0"

    processor.process([said(event(text))])

    assert rows(engine, core.caption)[0].text == text


def test_the_last_word_of_a_device_is_kept(processor: BatchProcessor, engine: Engine) -> None:
    online = status_of(ledger=Ledger(captions=3, sent_bytes=900, video_bytes=9_000_000), version="0.1.0")
    will = status_of(state=State.OFFLINE, at=None, reason="connection lost")

    processor.process([stated(online), stated(will)])

    (row,) = rows(engine, core.device)
    assert (row.state, row.reason, row.version) == ("offline", "connection lost", "0.1.0")
    with reading(engine) as connection:
        assert devices.states(connection)[("north-gate", "pi-01")][1] == online.ledger


def test_the_last_will_of_an_earlier_connection_changes_nothing(processor: BatchProcessor, engine: Engine) -> None:
    again = status_of(since=NOON + timedelta(minutes=1))
    old_will = status_of(state=State.OFFLINE, at=None)

    processor.process([stated(again), stated(old_will)])

    assert rows(engine, core.device)[0].state == "online"


def test_others_are_woken_after_the_commit_and_only_for_notifications(engine: Engine, clock: Clock) -> None:
    seen: list[int] = []
    processor = BatchProcessor(
        engine,
        compiler.load(RULES),
        Grouper([GUARD], Incidents(), Places.nameless()),
        on_notification=lambda: seen.append(len(rows(engine, core.alert))),
        metrics=NoMetrics(),
        clock=clock,
    )

    processor.process([said(event("a man walks"))])
    processor.process([said(event("a gun", seq=1))])

    assert seen == [1]


def test_many_captions_are_acknowledged_within_the_limits_of_the_contract(processor: BatchProcessor) -> None:
    events = [event(seq=number, id=f"{number:064d}") for number in range(100)]

    told = processor.process([said(one) for one in events])

    assert [len(answer.ack.stored) for answer in told] == [24, 24, 24, 24, 4]
    assert all(ack.encode(answer.ack) for answer in told)


@given(st.lists(st.text(min_size=1, max_size=64), max_size=30))
def test_any_ids_that_were_refused_fit_into_acknowledgements(ids: list[str]) -> None:
    address = Address("north-gate", "pi-01", "caption")
    unreadable = [Rejection("schema", "", "", b"", address, event_id) for event_id in ids]

    bundles = list(acknowledgements(unreadable))

    named = [refusal.id for answer in bundles for refusal in ack.decode(ack.encode(answer.ack)).refused]
    assert named == ids

"""How an alert gets from the intent to the phone, whatever the provider does."""

import logging
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from broker.config.broker import Notify
from broker.notify import dead_letters, delivery_reports, notifications
from broker.notify.delivery_reports import Report
from broker.notify.dispatcher import Dispatcher
from broker.notify.links import Signer
from broker.notify.notifications import State
from broker.notify.senders.by_recipient import SendersByRecipient
from broker.notify.senders.rate_limited import RateLimited
from broker.notify.senders.twilio import TwilioSender
from broker.ports import Doubtful, Leadership, NoMetrics
from broker.rules import compiler
from broker.store.engine import reading, writing
from broker.store.tables import core
from testing.fake_http import Behaviour
from testing.fake_twilio import ACCOUNT, SENDER, TOKEN, FakeTwilio
from tests.broker.device import GUARD, Clock, event, said
from tests.broker.running_service import RULES
from tests.broker.scene import SoleInstance, make_processor


class Bench:
    """One alert in a database, and a notifier with a provider that fails as told."""

    def __init__(self, engine: Engine, twilio: FakeTwilio) -> None:
        # The fake provider stamps its messages with the true time.
        self.clock = Clock(datetime.now(UTC))
        self.engine = engine
        self.twilio = twilio
        self.dispatcher = self.restart()
        processor = make_processor(self.engine, compiler.load(RULES), [GUARD], clock=self.clock)
        processor.process([said(event("a man is holding a gun", captured_at=self.clock.now))])

    def restart(self, leadership: Leadership | None = None) -> Dispatcher:
        """Return a notifier that knows only what is in the database."""
        sender = TwilioSender(ACCOUNT, TOKEN, sender=SENDER, base_url=self.twilio.url, timeout_seconds=0.5)
        settings = Notify(first_retry_seconds=10, longest_retry_seconds=60, give_up_after_hours=1)
        self.dispatcher = Dispatcher(
            self.engine, SendersByRecipient.alone(sender), lambda alert, now: f"ALERT {alert.sentence}", settings,
            jitter=lambda: 1.0, clock=self.clock, leadership=leadership or SoleInstance(),
            longest_call=timedelta(seconds=30), metrics=NoMetrics(),
        )  # fmt: skip
        return self.dispatcher

    @property
    def row(self) -> Any:
        """The alert as it is in the database."""
        with reading(self.engine) as connection:
            return connection.execute(select(core.alert)).one()

    def step_after(self, seconds: float) -> bool:
        """Move the clock and let the notifier do what is due."""
        self.clock.now += timedelta(seconds=seconds)
        return self.dispatcher.step()


@pytest.fixture
def bench(engine: Engine) -> Iterator[Bench]:
    with FakeTwilio() as twilio:
        yield Bench(engine, twilio)


def test_an_alert_is_sent_with_the_providers_id(bench: Bench) -> None:
    assert bench.dispatcher.step()
    assert not bench.dispatcher.step()

    assert bench.twilio.texts == ["ALERT a man is holding a gun"]
    assert (bench.row.state, bench.row.provider_id) == ("sent", bench.twilio.messages[0].sid)


def test_a_lost_message_is_asked_after_and_sent_again(bench: Bench) -> None:
    bench.twilio.planned = deque([Behaviour.SERVER_ERROR])

    assert bench.step_after(0)
    assert bench.row.state == "doubt"
    assert not bench.step_after(9)
    assert bench.step_after(1)
    assert bench.row.state == "waiting"
    assert bench.step_after(0)

    assert bench.row.state == "sent"
    assert (bench.twilio.posts, bench.twilio.lists, len(bench.twilio.messages)) == (2, 1, 1)


@pytest.mark.parametrize(
    "behaviour", [Behaviour.ACCEPTED_SERVER_ERROR, Behaviour.ACCEPTED_TIMEOUT, Behaviour.ACCEPTED_NOT_JSON]
)
def test_a_message_that_was_taken_after_all_is_not_sent_again(bench: Bench, behaviour: Behaviour) -> None:
    bench.twilio.planned = deque([behaviour])

    assert bench.step_after(0)
    assert bench.row.state == "doubt"
    assert bench.step_after(10)

    assert (bench.row.state, bench.row.provider_id) == ("sent", bench.twilio.messages[0].sid)
    assert bench.twilio.posts == 1


def test_while_the_provider_cannot_be_asked_nothing_is_sent_again(bench: Bench) -> None:
    bench.twilio.planned, bench.twilio.lists_fail = deque([Behaviour.ACCEPTED_SERVER_ERROR]), True

    for _ in range(3):
        assert bench.step_after(60)
    bench.twilio.lists_fail = False
    assert bench.step_after(60)

    assert bench.row.state == "sent"
    assert bench.twilio.posts == 1


def test_a_stop_between_taking_and_writing_it_down_sends_nothing_twice(bench: Bench) -> None:
    with writing(bench.engine) as connection:
        notifications.begin(connection, bench.row.id, text="ALERT a gun", provider="twilio", at=bench.clock.now)
    sid = bench.dispatcher.senders.of("guard").send(GUARD.e164, "ALERT a gun")

    dispatcher = bench.restart()
    dispatcher.finish()
    assert bench.row.state == "doubt"
    assert bench.step_after(10)

    assert (bench.row.state, bench.row.provider_id) == ("sent", sid)
    assert bench.twilio.posts == 1


def test_two_messages_with_one_text_are_not_taken_for_each_other(bench: Bench) -> None:
    bench.dispatcher.step()
    with writing(bench.engine) as connection:
        caption_id = bench.row.caption_id
        twin = {key: value for key, value in bench.row._mapping.items() if key != "id"}
        twin |= {
            "key": "another",
            "rule": "another",
            "state": State.DOUBT.value,
            "provider_id": "",
            "due_at": bench.clock.now,
        }
        connection.execute(core.alert.insert(), twin | {"caption_id": caption_id})

    assert bench.step_after(0)
    assert bench.step_after(0)

    assert len(bench.twilio.messages) == 2


def test_a_busy_provider_is_left_alone_as_long_as_it_asks(bench: Bench) -> None:
    bench.twilio.planned, bench.twilio.retry_after = deque([Behaviour.TOO_MANY_REQUESTS]), "120"

    assert bench.step_after(0)
    assert bench.row.state == "waiting"
    assert not bench.step_after(119)
    assert bench.step_after(1)

    assert bench.row.state == "sent"


def test_a_number_that_does_not_exist_is_given_up_loudly(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.twilio.invalid_numbers = {GUARD.phone}

    bench.dispatcher.step()

    assert bench.row.state == "dead"
    assert "21211" in bench.row.error
    (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert line.getMessage() == "notification given up"
    assert vars(line)["recipient"] == "guard"


def test_waits_grow_between_attempts(bench: Bench) -> None:
    wrong = TwilioSender(ACCOUNT, "wrong token", sender=SENDER, base_url=bench.twilio.url, timeout_seconds=1)
    bench.dispatcher.senders = SendersByRecipient.alone(wrong)

    due = []
    for _ in range(5):
        assert bench.dispatcher.step()
        due.append((bench.row.due_at - bench.clock.now).total_seconds())
        bench.clock.now = bench.row.due_at

    assert due == [10, 20, 40, 60, 60]
    assert bench.row.attempts == 5


def test_after_its_time_an_alert_dies_and_says_so(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    assert bench.step_after(3600)

    assert bench.row.state == "dead"
    assert bench.twilio.posts == 0
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_an_alert_in_doubt_is_asked_after_a_last_time_before_it_dies(bench: Bench) -> None:
    bench.twilio.planned = deque([Behaviour.ACCEPTED_SERVER_ERROR])
    bench.step_after(0)

    assert bench.step_after(3600)

    assert bench.row.state == "sent"


def test_waiting_for_our_own_rate_limit_is_no_warning(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    def seconds() -> float:
        return bench.clock.now.timestamp()

    bounded = RateLimited(
        lambda: TwilioSender(ACCOUNT, TOKEN, sender=SENDER, base_url=bench.twilio.url, timeout_seconds=1),
        seconds=20,
        per_second=0.5,
        clock=seconds,
    )
    bounded.send("+12025550199", "another message")
    bench.dispatcher.senders = SendersByRecipient.alone(bounded)

    assert bench.step_after(1)
    assert bench.row.state == "waiting"
    assert bench.step_after(1)

    assert bench.row.state == "sent"
    (line,) = [record for record in caplog.records if record.getMessage() == "notification not sent; retrying"]
    assert line.levelname == "INFO"


class Unaskable:
    """Takes every message, says of the first that it does not know, and cannot be asked."""

    name = "unaskable"
    askable = False

    def __init__(self) -> None:
        self.texts: list[str] = []

    def send(self, to: str, text: str) -> str:
        """Take a message."""
        self.texts.append(text)
        if len(self.texts) < 3:
            raise Doubtful("no answer")
        return ""

    def find(self, to: str, text: str, *, since: datetime) -> list[str]:
        """Fail the test: this one is not to be asked."""
        raise AssertionError(text)


def test_where_nobody_can_be_asked_a_repeat_says_that_it_may_be_one(bench: Bench) -> None:
    sender = Unaskable()
    bench.dispatcher.senders = SendersByRecipient({"guard": sender})

    for _ in range(3):
        assert bench.step_after(60)

    first, second, third = sender.texts
    assert first == "ALERT a man is holding a gun"
    assert second == third == f"(perhaps sent twice) {first}"
    assert bench.row.state == "sent"


def test_someone_who_is_no_recipient_any_more_waits_and_dies(bench: Bench) -> None:
    bench.dispatcher.senders = SendersByRecipient({})

    assert bench.step_after(0)
    assert bench.row.state == "waiting"
    assert bench.step_after(3600)

    assert bench.row.state == "dead"
    assert "no recipient is called 'guard' any more" in bench.row.error


def test_a_dead_message_that_was_handed_over_is_asked_after_before_it_is_sent_again(bench: Bench) -> None:
    bench.twilio.planned, bench.twilio.lists_fail = deque([Behaviour.ACCEPTED_SERVER_ERROR]), True
    bench.step_after(0)
    bench.step_after(3600)
    assert bench.row.state == "dead"
    bench.twilio.lists_fail = False

    with writing(bench.engine) as connection:
        assert dead_letters.take_up(connection, bench.row.id, by="chief", at=bench.clock.now)
        assert not dead_letters.take_up(connection, bench.row.id, by="chief", at=bench.clock.now)
    assert bench.step_after(0)

    assert bench.row.state == "sent"
    assert bench.twilio.posts == 1


def test_a_dead_message_that_was_never_handed_over_is_sent(bench: Bench) -> None:
    bench.step_after(3600)
    assert bench.row.state == "dead"

    with writing(bench.engine) as connection:
        assert [alert.id for alert in dead_letters.listed(connection)] == [bench.row.id]
        assert dead_letters.take_up(connection, bench.row.id, by="chief", at=bench.clock.now)
    assert bench.step_after(1)

    assert bench.row.state == "sent"
    assert bench.twilio.texts == ["ALERT a man is holding a gun"]


def test_a_report_that_was_faster_than_the_answer_still_counts(bench: Bench) -> None:
    report = Report("twilio", f"SM{0:032x}", "undelivered", "Twilio error 30003", bench.clock.now)
    with writing(bench.engine) as connection:
        assert delivery_reports.record(connection, report)

    assert bench.step_after(0)

    assert bench.row.state == "dead"
    assert bench.row.error == "twilio reports: undelivered Twilio error 30003"


def test_at_a_stop_what_is_due_is_still_sent(bench: Bench) -> None:
    bench.dispatcher.finish()

    assert bench.row.state == "sent"


def test_a_link_that_was_taken_after_all_is_found_although_the_database_keeps_it_masked(bench: Bench) -> None:
    signer = Signer("https://wordcam.example", "x" * 32, timedelta(hours=24))
    bench.dispatcher.signer = signer
    bench.dispatcher.compose = lambda alert, now: f"ALERT {alert.sentence} {signer.masked(alert.id)}"
    bench.twilio.planned = deque([Behaviour.ACCEPTED_SERVER_ERROR])

    assert bench.step_after(0)
    assert bench.row.state == "doubt"
    assert bench.step_after(10)

    assert (bench.row.state, bench.twilio.posts, bench.twilio.lists) == ("sent", 1, 1)
    assert bench.twilio.texts == [f"ALERT a man is holding a gun {signer.link(1)}"]
    assert bench.row.text.endswith("/a/1-***********")


def test_a_link_that_was_lost_is_sent_again_and_works(bench: Bench) -> None:
    signer = Signer("https://wordcam.example", "x" * 32, timedelta(hours=24))
    bench.dispatcher.signer = signer
    bench.dispatcher.compose = lambda alert, now: f"ALERT {alert.sentence} {signer.masked(alert.id)}"
    bench.twilio.planned = deque([Behaviour.SERVER_ERROR])

    for seconds in (0, 10, 0):
        assert bench.step_after(seconds)

    (text,) = bench.twilio.texts
    assert signer.read(text.rpartition("/")[2]) == 1


def test_waiting_for_the_own_rate_limit_is_no_warning(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    times = iter([10.0, 5.0])
    sender = TwilioSender(ACCOUNT, TOKEN, sender=SENDER, base_url=bench.twilio.url, timeout_seconds=0.5)
    limited = RateLimited(lambda: sender, seconds=1, per_second=1, clock=lambda: next(times))
    bench.dispatcher.senders = SendersByRecipient.alone(limited)

    with caplog.at_level(logging.INFO):
        assert bench.step_after(0)

    (line,) = (one for one in caplog.records if "retrying" in one.message)
    assert line.levelno == logging.INFO
    assert bench.row.state == "waiting"

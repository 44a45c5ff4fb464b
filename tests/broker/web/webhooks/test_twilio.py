"""Web hooks of Twilio: reports and answers, honest and hostile, signed by Twilio's own library."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine, insert, select
from twilio.request_validator import RequestValidator

from broker.config.broker import Recipient
from broker.incidents import responses, store
from broker.incidents.incident import State
from broker.notify import notifications
from broker.notify.notifications import Intent, Kind
from broker.rules import compiler
from broker.store import migrate
from broker.store.engine import open_engine, reading, writing
from broker.store.tables import core
from broker.store.tables.messaging import delivery, reply
from broker.web.webhooks.twilio import MAX_ANSWERS_A_MINUTE, Outcome, TwilioHooks
from tests.broker.device import GUARD, Clock, event, said
from tests.broker.running_service import RULES
from tests.broker.scene import make_processor

TOKEN = "secret-of-the-test"
STATUS_URL = "https://console.example/twilio/status"
REPLY_URL = "https://console.example/twilio/reply"
CHIEF = Recipient(name="chief", phone="+12025550199", language="ko")


class Bench:
    """An incident that the guard was told of, and the hooks of the account that told it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(datetime.now(UTC))
        self.engine: Engine = open_engine(folder / "wordcam.db", wait_seconds=0.05)
        migrate.require_current(self.engine)
        self.hooks = TwilioHooks(TOKEN, self.engine, [GUARD, CHIEF], clock=self.clock)
        processor = make_processor(self.engine, compiler.load(RULES), [GUARD], clock=self.clock)
        now = self.clock.now
        processor.process([said(event("a man is holding a gun", captured_at=now, time=now))])
        with writing(self.engine) as connection:
            notifications.begin(connection, 1, text="ALERT", provider="twilio", at=self.clock.now)
            notifications.mark_sent(connection, 1, provider_id=sid(1), at=self.clock.now)

    def report(self, status: str, **fields: str) -> Outcome:
        """Let Twilio report what became of the message."""
        form = {"MessageSid": sid(1), "MessageStatus": status} | fields
        return self.hooks.status(form, signed(STATUS_URL, form), [STATUS_URL])

    def answer(self, body: str, number: int = 1, phone: str = GUARD.phone) -> Outcome:
        """Let someone answer."""
        form = {"MessageSid": sid(1000 + number), "From": phone, "To": "+12025550100", "Body": body}
        return self.hooks.inbound(form, signed(REPLY_URL, form), [REPLY_URL])

    def open_another(self, number: int) -> None:
        """Open an incident of this number, of which the guard gets a text, a minute later."""
        at = self.clock.now + timedelta(minutes=1)
        with writing(self.engine) as connection:
            first = store.get(connection, 1)
            assert first is not None
            row = connection.execute(select(core.incident).where(core.incident.c.id == 1)).one()._asdict()
            connection.execute(insert(core.incident), row | {"id": number, "danger": "fire", "open_key": f"x/{number}"})
            told = Intent(f"more/{number}", Kind.FIRST, number, first.caption_id, "fire", first.site, "critical", ())
            alert = notifications.add(connection, told, to=GUARD, at=at)
            notifications.begin(connection, alert, text="ALERT", provider="twilio", at=at)
            notifications.mark_sent(connection, alert, provider_id=sid(500 + number), at=at)

    def state_of(self, number: int) -> State:
        """How an incident stands."""
        with reading(self.engine) as connection:
            found = store.get(connection, number)
        assert found is not None
        return found.state

    @property
    def incident(self) -> Any:
        """The incident as it stands."""
        with reading(self.engine) as connection:
            return store.get(connection, 1)

    def rows(self, table: Any) -> list[Any]:
        """Everything in a table."""
        with reading(self.engine) as connection:
            return list(connection.execute(select(table)))


def sid(number: int) -> str:
    return f"SM{number:032x}"


def signed(url: str, form: Mapping[str, str]) -> str:
    return str(RequestValidator(TOKEN).compute_signature(url, dict(form)))


def spoken(outcome: Outcome) -> str:
    """Return what is answered, read as the XML that it has to be."""
    message = ElementTree.fromstring(outcome.body).find("Message")
    return "" if message is None else (message.text or "")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.engine.dispose()


def test_reports_go_forward_only(bench: Bench) -> None:
    outcomes = [bench.report(status).reason for status in ("queued", "delivered", "sent", "delivered", "read")]

    assert outcomes == ["recorded", "recorded", "behind", "behind", "recorded"]
    assert [row.status for row in bench.rows(delivery)] == ["read"]


def test_a_message_that_was_not_delivered_becomes_dead(bench: Bench) -> None:
    assert bench.report("undelivered", ErrorCode="30003").status == 204

    (row,) = bench.rows(core.alert)
    assert (row.state, row.error) == ("dead", "twilio reports: undelivered Twilio error 30003")


@pytest.mark.parametrize(("body", "state"), [("OK", State.ACKNOWLEDGED), ("확인 #1", State.ACKNOWLEDGED),
    ("done", State.RESOLVED), ("3", State.FALSE_ALARM)])  # fmt: skip
def test_an_answer_acts_on_the_incident(bench: Bench, body: str, state: State) -> None:
    outcome = bench.answer(body)

    assert "#1" in spoken(outcome)
    assert bench.incident.state is state
    assert [(row.recipient, row.effect, row.incident_id) for row in bench.rows(reply)] == [("guard", "done", 1)]


def test_a_second_one_who_answers_is_told_who_was_first(bench: Bench) -> None:
    with writing(bench.engine) as connection:
        responses.acknowledge(connection, 1, by="chief", how="console", at=bench.clock.now)

    assert spoken(bench.answer("ok")) == "chief has #1 already."


def test_who_acknowledges_twice_is_thanked_twice(bench: Bench) -> None:
    first = spoken(bench.answer("ok"))

    assert spoken(bench.answer("on my way", 2)) == first


def test_an_answer_that_comes_twice_acts_once(bench: Bench) -> None:
    bench.answer("ok")

    again = bench.answer("3")

    assert (again.status, again.reason, spoken(again)) == (200, "again", "")
    assert bench.incident.state is State.ACKNOWLEDGED


def test_nobody_answers_to_an_incident_that_they_were_not_told_of(bench: Bench) -> None:
    outcome = bench.answer("확인 1", phone=CHIEF.phone)

    assert spoken(outcome) == "답할 경보가 없습니다."
    assert bench.incident.state is State.OPEN


def test_a_stranger_gets_no_answer_and_is_counted(bench: Bench) -> None:
    outcome = bench.answer("ok", phone="+12025550111")

    assert (outcome.status, outcome.reason, spoken(outcome)) == (200, "unknown-number", "")
    assert bench.incident.state is State.OPEN
    assert [(row.reason, row.topic, row.count) for row in bench.rows(core.refusal)] == [
        ("unknown-number", "twilio/reply", 1)
    ]


def test_a_wrong_signature_is_refused_and_counted(bench: Bench) -> None:
    form = {"MessageSid": sid(7), "From": GUARD.phone, "Body": "ok"}
    for signature in ("", "AAAA", signed(STATUS_URL, form), signed(REPLY_URL, form | {"Body": "3"})):
        assert bench.hooks.inbound(form, signature, [REPLY_URL]).status == 403

    assert bench.incident.state is State.OPEN
    assert [(row.reason, row.count) for row in bench.rows(core.refusal)] == [("signature", 4)]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"MessageSid": "'; DROP TABLE alert;--", "MessageStatus": "sent"},
        {"MessageSid": sid(1), "MessageStatus": "exploded"},
        {"MessageSid": sid(1), "MessageStatus": "sent", "Body": "x" * 20_000},
        {"MessageSid": sid(1), "MessageStatus": "sent"} | {f"key{n}": "" for n in range(200)},
    ],
    ids=["empty", "SQL", "unknown status", "too long", "too many fields"],
)
def test_a_signed_form_that_makes_no_sense_is_refused(bench: Bench, form: dict[str, str]) -> None:
    outcome = bench.hooks.status(form, signed(STATUS_URL, form), [STATUS_URL])

    assert outcome.status == 400
    assert [row.reason for row in bench.rows(core.refusal)] == [outcome.reason]


HOSTILE = [
    "<script>alert(1)</script>",
    "'); DROP TABLE alert; --",
    "=cmd|'/c calc'!A1",
    "ok ]]><Message>pwned</Message>",
    "ok\x00",
    "ok " * 400,
    "확인 99999999999999999999",
    "{name} {0!r} %s",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_answer_is_answered_politely_and_does_nothing(bench: Bench, body: str) -> None:
    outcome = bench.answer(body)

    assert outcome.status == 200
    assert "pwned" not in spoken(outcome)
    assert "script" not in outcome.body
    assert bench.incident.state is (State.ACKNOWLEDGED if body == "ok\x00" else State.OPEN)


def test_half_a_surrogate_pair_is_nobodys_signature(bench: Bench) -> None:
    form = {"MessageSid": sid(7), "From": GUARD.phone, "Body": "\ud83d"}

    assert bench.hooks.inbound(form, "x", [REPLY_URL]) == Outcome(403, "signature")


def test_two_robots_do_not_talk_for_ever(bench: Bench) -> None:
    said = [spoken(bench.answer("hello?", number)) for number in range(MAX_ANSWERS_A_MINUTE + 3)]

    assert [bool(text) for text in said] == [True] * MAX_ANSWERS_A_MINUTE + [False] * 3


@pytest.mark.parametrize("body", ["#28", "#2", "#3", "28", "28번"])
def test_a_number_of_an_incident_closes_nothing(bench: Bench, body: str) -> None:
    bench.open_another(28)

    answered = spoken(bench.answer(body))

    assert answered.startswith("What about #28?" if "28" in body else "Not understood.")
    assert (bench.incident.state, bench.state_of(28)) == (State.OPEN, State.OPEN)


@pytest.mark.parametrize(
    ("body", "state"), [("1", State.ACKNOWLEDGED), ("2", State.RESOLVED), ("3", State.FALSE_ALARM)]
)
def test_a_bare_choice_acts_where_one_incident_alone_is_open(bench: Bench, body: str, state: State) -> None:
    bench.answer(body)

    assert bench.incident.state is state


@pytest.mark.parametrize("body", ["1", "2", "3"])
def test_a_bare_choice_asks_back_where_several_are_open(bench: Bench, body: str) -> None:
    bench.open_another(28)

    assert spoken(bench.answer(body)).startswith(("Not understood.", "What about #"))
    assert (bench.incident.state, bench.state_of(28)) == (State.OPEN, State.OPEN)


def test_a_bare_two_asks_back_where_incident_two_is_the_open_one(bench: Bench) -> None:
    bench.open_another(2)
    bench.answer("done 1")

    assert spoken(bench.answer("2", 2)).startswith("What about #2?")
    assert bench.state_of(2) is State.OPEN


@pytest.mark.parametrize("body", ["done", "오경보"])
def test_what_closes_asks_which_where_several_are_open(bench: Bench, body: str) -> None:
    bench.open_another(28)

    assert spoken(bench.answer(body)) == "Which one? Open: #28, #1. Answer with the number, such as DONE 28."
    assert (bench.incident.state, bench.state_of(28)) == (State.OPEN, State.OPEN)


def test_what_closes_is_about_the_one_that_is_still_open(bench: Bench) -> None:
    bench.open_another(28)
    bench.answer("done 28")

    assert "#1 is over" in spoken(bench.answer("all clear", 2))
    assert bench.incident.state is State.RESOLVED


@pytest.mark.parametrize(("language", "help_"), [("en", "Not understood."), ("ko", "알 수 없는 답입니다.")])
def test_what_is_not_understood_is_answered_with_how_to_answer(bench: Bench, language: str, help_: str) -> None:
    person = GUARD if language == "en" else CHIEF

    assert spoken(bench.answer("오경보 아님", phone=person.phone)).startswith(help_)
    assert bench.incident.state is State.OPEN


@pytest.mark.parametrize("signed_for", ["https://hooks.example/in?site=7", STATUS_URL.replace("console", "proxy")])
def test_a_registered_address_is_what_is_signed_whatever_arrives(bench: Bench, signed_for: str) -> None:
    registered = replace(bench.hooks, callback_url=signed_for, answer_url=signed_for)
    form = {"MessageSid": sid(1), "MessageStatus": "delivered"}
    answer = {"MessageSid": sid(2), "From": GUARD.phone, "Body": "ok"}

    assert registered.status(form, signed(signed_for, form), ["http://10.0.0.7:8080/x"]).status == 204
    assert registered.inbound(answer, signed(signed_for, answer), ["http://10.0.0.7:8080/x"]).status == 200
    assert registered.inbound(answer, signed("https://evil.example/", answer), ["http://10.0.0.7:8080/x"]).status == 403


def test_answers_come_to_the_host_of_the_registered_reports(bench: Bench) -> None:
    registered = replace(bench.hooks, callback_url="https://proxy.example/twilio/status")
    form = {"MessageSid": sid(2), "From": GUARD.phone, "Body": "ok"}
    signature = signed("https://proxy.example/twilio/inbound?a=1", form)

    assert registered.inbound(form, signature, ["http://10.0.0.7:8080/twilio/inbound?a=1"]).status == 200

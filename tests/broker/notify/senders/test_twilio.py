"""Twilio's own library against a server that speaks its API and fails in every way."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from broker.notify.senders.twilio import TwilioSender
from broker.ports import Busy, Doubtful, Rejected, SendFailed, Unreachable
from testing.fake_http import Behaviour
from testing.fake_twilio import ACCOUNT, SENDER, TOKEN, FakeTwilio
from testing.loopback import free_port

GUARD = "+12025550143"
TEXT = "[경보] 총기 · 북문 12:00 a man is holding a gun"


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio() as server:
        yield server


def sender(url: str, *, token: str = TOKEN, account: str = ACCOUNT, number: str = SENDER) -> TwilioSender:
    return TwilioSender(account, token, sender=number, base_url=url, timeout_seconds=0.5)


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


def test_a_message_is_taken_word_for_word_and_has_an_id(twilio: FakeTwilio) -> None:
    sid = sender(twilio.url).send(GUARD, TEXT)

    (message,) = twilio.messages
    assert (message.sid, message.to, message.sender, message.body) == (sid, GUARD, SENDER, TEXT)


def test_a_messaging_service_sends_in_place_of_a_number(twilio: FakeTwilio) -> None:
    service = "MG" + "0" * 32

    sender(twilio.url, number=service).send(GUARD, TEXT)

    assert twilio.messages[0].messaging_service_sid == service


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (Behaviour.SERVER_ERROR, Doubtful),
        (Behaviour.ACCEPTED_SERVER_ERROR, Doubtful),
        (Behaviour.TOO_MANY_REQUESTS, Busy),
        (Behaviour.ACCEPTED_TIMEOUT, Doubtful),
        (Behaviour.ACCEPTED_NOT_JSON, Doubtful),
        (Behaviour.REFUSED_CONNECTION_CLOSED, Doubtful),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_failure_is_told_apart(twilio: FakeTwilio, behaviour: Behaviour, kind: type[SendFailed]) -> None:
    twilio.planned = deque([behaviour])

    with pytest.raises(SendFailed) as caught:
        sender(twilio.url).send(GUARD, TEXT)

    assert type(caught.value) is kind
    assert twilio.posts == 1


def test_a_number_that_does_not_exist_is_rejected(twilio: FakeTwilio) -> None:
    twilio.invalid_numbers = {GUARD}

    with pytest.raises(Rejected):
        sender(twilio.url).send(GUARD, TEXT)

    assert twilio.posts == 1


def test_a_wrong_token_says_what_to_check(twilio: FakeTwilio) -> None:
    with pytest.raises(Unreachable, match=r"401.*check `twilio.account_sid` and the auth token"):
        sender(twilio.url, token="wrong").send(GUARD, TEXT)


def test_an_unknown_account_says_what_to_check(twilio: FakeTwilio) -> None:
    with pytest.raises(Unreachable, match=r"twilio\.account_sid"):
        sender(twilio.url, account="AC" + "0" * 32).send(GUARD, TEXT)


def test_a_server_that_is_not_there_has_surely_taken_nothing() -> None:
    with pytest.raises(Unreachable):
        sender(f"http://127.0.0.1:{free_port()}").send(GUARD, TEXT)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("0", 1), ("99999999", 3600), ("", 30), ("soon", 30), ("-5", 30)]
)
def test_a_busy_server_says_how_long_to_wait(twilio: FakeTwilio, header: str, seconds: int) -> None:
    twilio.planned, twilio.retry_after = deque([Behaviour.TOO_MANY_REQUESTS]), header

    with pytest.raises(Busy) as caught:
        sender(twilio.url).send(GUARD, TEXT)

    assert caught.value.retry_after == timedelta(seconds=seconds)


def test_a_busy_server_may_name_a_date(twilio: FakeTwilio) -> None:
    in_a_minute = datetime.now(UTC) + timedelta(minutes=1)
    twilio.planned, twilio.retry_after = deque([Behaviour.TOO_MANY_REQUESTS]), format_datetime(in_a_minute, usegmt=True)

    with pytest.raises(Busy) as caught:
        sender(twilio.url).send(GUARD, TEXT)

    assert timedelta(seconds=1) <= caught.value.retry_after <= timedelta(minutes=1)


def test_a_message_that_was_taken_is_found_by_number_text_and_time(twilio: FakeTwilio) -> None:
    twilio.planned = deque([Behaviour.ACCEPTED_SERVER_ERROR])
    client = sender(twilio.url)
    with pytest.raises(Doubtful):
        client.send(GUARD, TEXT)
    client.send("+12025550178", TEXT)
    client.send(GUARD, "another text")

    found = client.find(GUARD, TEXT, since=long_ago())

    assert found == [twilio.messages[0].sid]


def test_a_message_from_before_is_another_one(twilio: FakeTwilio) -> None:
    client = sender(twilio.url)
    client.send(GUARD, TEXT)

    assert client.find(GUARD, TEXT, since=datetime.now(UTC) + timedelta(minutes=5)) == []


def test_a_message_that_failed_was_not_taken(twilio: FakeTwilio) -> None:
    client = sender(twilio.url)
    client.send(GUARD, TEXT)
    twilio.messages[0].status = "failed"

    assert client.find(GUARD, TEXT, since=long_ago()) == []


def test_a_server_that_cannot_be_asked_says_so(twilio: FakeTwilio) -> None:
    twilio.lists_fail = True

    with pytest.raises(Unreachable, match=r"asking after a message: .*HTTP 503"):
        sender(twilio.url).find(GUARD, TEXT, since=long_ago())

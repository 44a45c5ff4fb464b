"""Solapi's API over real HTTP: what it is sent, and how it fails; its own library judges our stand-in."""

import hashlib
import hmac
import json
import re
import urllib.parse
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
from solapi import SolapiMessageService
from solapi.model import RequestMessage
from solapi.model.request.messages.get_messages import GetMessagesRequest

from broker.config.channels import Solapi
from broker.notify.senders.rate_limited import RateLimited
from broker.notify.senders.solapi import SolapiSender
from broker.ports import Busy, Doubtful, Rejected, SendFailed, Unreachable
from testing.fake_http import Answer, Behaviour, FakeHttp, Request
from testing.loopback import free_port

KEY, SECRET = "NCSKEY", "secret-of-the-test"
GUARD = "+821012345678"
TEXT = "[경보] 총기 · 북문 12:00 남자가 총을 들고 있다"

SIGNED = re.compile(r"HMAC-SHA256 apiKey=(\S+), date=(\S+), salt=(\S+), signature=([0-9a-f]{64})", re.IGNORECASE)


@dataclass
class FakeSolapi:
    """Keeps messages as Solapi does; the failures are `FakeHttp`'s."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuses: bool = False
    unpaid: bool = False

    def __enter__(self) -> Self:
        self.server = FakeHttp(self.answer)
        self.server.__enter__()
        return self

    def __exit__(self, *about: Any) -> None:
        self.server.__exit__(*about)

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        signed = SIGNED.fullmatch(request.headers.get("Authorization", ""))
        made = hmac.new(SECRET.encode(), (signed[2] + signed[3]).encode(), hashlib.sha256) if signed else None
        if signed is None or made is None or signed[1] != KEY or signed[4] != made.hexdigest():
            return Answer(403, _problem("SignatureDoesNotMatch", "서명이 일치하지 않습니다"))
        if self.unpaid:
            return Answer(402, _problem("NotEnoughBalance", "잔액이 부족합니다"))
        path, _, query = request.path.partition("?")
        if request.method == "POST" and path == "/messages/v4/send-many/detail":
            return Answer(200, json.dumps(self._take(json.loads(request.body))).encode())
        if request.method == "GET" and path in ("/messages/v4/list", "/messages/v4/list-old"):
            to = dict(urllib.parse.parse_qsl(query)).get("to")
            found = {name: one for name, one in self.messages.items() if to in (None, one["to"])}
            return Answer(200, json.dumps({"limit": 100, "messageList": found}).encode())
        return Answer(404, _problem("ResourceNotFound", path))

    def _take(self, body: dict[str, Any]) -> dict[str, Any]:
        (message,) = body["messages"]
        taken: dict[str, Any] = {"messageId": f"M4V{len(self.messages):08d}", "statusCode": "2000"}
        about = {"country": message["country"], "to": message["to"], "from": message["from"], "type": message["type"]}
        if self.refuses:
            failed = taken | about | {"statusCode": "1062", "statusMessage": "미등록 발신번호", "accountId": "1"}
            return {"failedMessageList": [failed], "groupInfo": _group(failed=1)}
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self.messages[taken["messageId"]] = message | {"statusCode": "2000", "dateCreated": now}
        listed = [taken | {"statusMessage": "정상 접수"}]
        return {"failedMessageList": [], "groupInfo": _group(failed=0), "messageList": listed}


def _problem(code: str, message: str) -> bytes:
    return json.dumps({"errorCode": code, "errorMessage": message}).encode()


def _group(*, failed: int) -> dict[str, Any]:
    """Return what Solapi says of the group that every message is in; its own library asks for all of it."""
    zero = {"requested": 0.0, "replacement": 0.0, "refund": 0.0, "sum": 0.0}
    names = ("sentTotal", "sentSuccess", "sentPending", "sentReplacement", "refund", "registeredSuccess")
    count = dict.fromkeys(names, 0) | {"total": 1, "registeredFailed": failed}
    about: dict[str, Any] = {"app": {}, "log": [], "status": "SENDING", "allowDuplicates": False, "isRefunded": False}
    ids: dict[str, Any] = {"accountId": "1", "masterAccountId": None, "apiVersion": "4", "groupId": "G4V1", "price": {}}
    dates = {"dateCreated": None, "dateUpdated": None}
    return {"count": count, "countForCharge": {}, "balance": zero, "point": zero} | about | ids | dates


@pytest.fixture
def solapi() -> Iterator[FakeSolapi]:
    with FakeSolapi() as server:
        yield server


def sender(solapi: FakeSolapi, *, secret: str = SECRET, url: str = "", seconds: float = 20) -> SolapiSender:
    account = Solapi(api_key=KEY, sender="02-1234-5678", base_url=url or solapi.server.url, timeout_seconds=seconds)
    return SolapiSender(account, secret)


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


def test_the_stand_in_satisfies_solapis_own_library(solapi: FakeSolapi) -> None:
    library = SolapiMessageService(KEY, SECRET)
    library.base_url = solapi.server.url
    message = RequestMessage(from_="0212345678", to="01012345678", text=TEXT, type="LMS")

    group = library.send(message).group_info
    found = library.get_messages(GetMessagesRequest(to="01012345678")).message_list

    assert group.count.total == 1
    assert [one.text for one in found.values()] == [TEXT]


def test_a_message_is_taken_word_for_word_and_has_an_id(solapi: FakeSolapi) -> None:
    name = sender(solapi).send(GUARD, TEXT)

    message = solapi.messages[name]
    assert (message["to"], message["country"], message["from"], message["text"]) == (
        "01012345678", "82", "0212345678", TEXT,
    )  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), [("가" * 45, "SMS"), ("가" * 45 + "a", "LMS"), ("a" * 90, "SMS")])
def test_a_text_goes_as_what_korean_carriers_take_it_for(solapi: FakeSolapi, text: str, kind: str) -> None:
    name = sender(solapi).send(GUARD, text)

    assert solapi.messages[name]["type"] == kind


def test_a_text_that_no_carrier_takes_is_not_sent(solapi: FakeSolapi) -> None:
    with pytest.raises(Rejected, match="2002 bytes"):
        sender(solapi).send(GUARD, "가" * 1001)


FAILURES = [
    (Behaviour.SERVER_ERROR, Doubtful),
    (Behaviour.ACCEPTED_SERVER_ERROR, Doubtful),
    (Behaviour.ACCEPTED_TIMEOUT, Doubtful),
    (Behaviour.ACCEPTED_NOT_JSON, Doubtful),
    (Behaviour.ACCEPTED_EMPTY_OBJECT, Doubtful),
    (Behaviour.REDIRECT, Doubtful),
    (Behaviour.CONNECTION_CLOSED, Doubtful),
    (Behaviour.ACCEPTED_SLOW_BODY, Doubtful),
    (Behaviour.ACCEPTED_SLOW_HEADERS, Doubtful),
    (Behaviour.TOO_MANY_REQUESTS, Busy),
]


@pytest.mark.parametrize(("behaviour", "kind"), FAILURES)
def test_every_failure_is_told_apart_in_time(solapi: FakeSolapi, behaviour: Behaviour, kind: type[SendFailed]) -> None:
    bounded = RateLimited(lambda: sender(solapi, seconds=0.4), seconds=0.6, per_second=1000)
    solapi.server.planned = deque([behaviour])

    with pytest.raises(kind):
        bounded.send(GUARD, TEXT)


def test_a_busy_gateway_says_how_long(solapi: FakeSolapi) -> None:
    solapi.server.planned = deque([Behaviour.TOO_MANY_REQUESTS])

    with pytest.raises(Busy) as caught:
        sender(solapi).send(GUARD, TEXT)

    assert caught.value.retry_after == timedelta(seconds=7)


def test_what_the_gateway_refuses_is_given_up(solapi: FakeSolapi) -> None:
    solapi.refuses = True

    with pytest.raises(Rejected, match="Solapi status 1062: 미등록 발신번호"):
        sender(solapi).send(GUARD, TEXT)


def test_a_wrong_secret_or_an_empty_purse_waits_for_the_operator(solapi: FakeSolapi) -> None:
    with pytest.raises(Unreachable, match="SignatureDoesNotMatch"):
        sender(solapi, secret="wrong").send(GUARD, TEXT)
    solapi.unpaid = True
    with pytest.raises(Unreachable, match="NotEnoughBalance"):
        sender(solapi).send(GUARD, TEXT)


def test_a_gateway_that_is_not_there_has_surely_taken_nothing(solapi: FakeSolapi) -> None:
    with pytest.raises(Unreachable):
        sender(solapi, url=f"http://127.0.0.1:{free_port()}").send(GUARD, TEXT)


def test_a_message_in_doubt_is_found_by_number_text_and_time(solapi: FakeSolapi) -> None:
    name = sender(solapi).send(GUARD, TEXT)
    sender(solapi).send(GUARD, "another text")
    sender(solapi).send("+821087654321", TEXT)

    assert sender(solapi).find(GUARD, TEXT, since=long_ago()) == [name]
    assert sender(solapi).find(GUARD, TEXT, since=datetime.now(UTC) + timedelta(minutes=5)) == []
    solapi.messages[name]["statusCode"] = "3008"
    assert sender(solapi).find(GUARD, TEXT, since=long_ago()) == []


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour.SERVER_ERROR,
        Behaviour.ACCEPTED_NOT_JSON,
        Behaviour.ACCEPTED_EMPTY_OBJECT,
        Behaviour.TOO_MANY_REQUESTS,
        Behaviour.CONNECTION_CLOSED,
    ],
)
def test_a_gateway_that_cannot_be_asked_says_so(solapi: FakeSolapi, behaviour: Behaviour) -> None:
    solapi.server.planned = deque([behaviour])

    with pytest.raises(Unreachable, match="asking after a message"):
        sender(solapi).find(GUARD, TEXT, since=long_ago())

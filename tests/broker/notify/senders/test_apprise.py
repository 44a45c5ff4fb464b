"""Apprise over a real web hook and a real mail server."""

import io
import json
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from broker.cli import main
from broker.config.broker import load
from broker.config.errors import Misconfigured
from broker.notify.senders.apprise import AppriseSender
from broker.notify.senders.rate_limited import RateLimited
from broker.ports import Doubtful, Rejected
from broker.service import factory
from testing.fake_http import Answer, Behaviour, FakeHttp
from testing.loopback import free_port
from tests.broker.running_service import write_config

# Apprise imports whatever its hundred services might need and finds here.
pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")

TEXT = "[경보] 총기 · 북문 12:00 남자가 총을 들고 있다"


@pytest.fixture
def hook() -> Iterator[FakeHttp]:
    with FakeHttp(lambda request: Answer(200, b"ok")) as server:
        yield server


def sender(address: str, seconds: float = 20) -> AppriseSender:
    return AppriseSender({"guard": address}.__getitem__, timeout_seconds=seconds)


def body(server: FakeHttp) -> dict[str, Any]:
    return dict(json.loads(server.accepted[-1].body))


def test_a_web_hook_gets_the_text(hook: FakeHttp) -> None:
    assert sender(f"json://127.0.0.1:{hook.port}/alerts").send("guard", TEXT) == ""

    assert hook.accepted[0].path.rstrip("/") == "/alerts"
    assert body(hook)["message"] == TEXT


def test_a_caption_calls_nobody_and_hides_no_link(hook: FakeHttp) -> None:
    sender(f"json://127.0.0.1:{hook.port}").send("guard", "<!channel> @everyone `x` <https://evil|safe> <b>")

    assert body(hook)["message"] == "‹!channel› ＠everyone 'x' ‹https://evil|safe› ‹b›"


def test_a_template_in_a_caption_is_only_text(hook: FakeHttp) -> None:
    sender(f"json://127.0.0.1:{hook.port}").send("guard", "{{ app_id }} \\n %s {0}")

    assert body(hook)["message"] == "{{ app_id }} \\n %s {0}"


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour.SERVER_ERROR,
        Behaviour.TOO_MANY_REQUESTS,
        Behaviour.ACCEPTED_TIMEOUT,
        Behaviour.REDIRECT,
        Behaviour.CONNECTION_CLOSED,
        Behaviour.ACCEPTED_SLOW_BODY,
        Behaviour.ACCEPTED_SLOW_HEADERS,
    ],
)
def test_whatever_fails_is_in_doubt_in_time(hook: FakeHttp, behaviour: Behaviour) -> None:
    hook.planned = deque([behaviour])
    address = f"json://127.0.0.1:{hook.port}?rto=0.4&cto=0.4"
    bounded = RateLimited(lambda: sender(address, 1.0), seconds=1.0, per_second=1000)

    with pytest.raises(Doubtful):
        bounded.send("guard", TEXT)


def test_nobody_can_be_asked_after_a_message() -> None:
    assert not AppriseSender.askable
    assert sender("json://127.0.0.1").find("guard", TEXT, since=datetime.now(UTC)) == ()


def test_an_address_that_apprise_cannot_read_is_given_up_without_naming_it() -> None:
    with pytest.raises(Rejected) as caught:
        sender("no-such-scheme://secret@host").send("guard", TEXT)

    assert "secret" not in str(caught.value).replace("secrets", "")


class Mailbox:
    """Keeps what a mail server takes."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


def test_a_mail_arrives_with_its_danger_as_the_subject_and_no_header_of_the_captions() -> None:
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        address = f"mailto://127.0.0.1:{port}?from=wordcam@example.org&to=guard@example.org&mode=insecure"
        sender(address).send("guard", f"{TEXT}\r\nBcc: all@example.org\r\n\r\nhello")
    finally:
        controller.stop()

    (mail,) = mailbox.mails
    assert "총기" in mail["Subject"]
    assert mail["Bcc"] is None
    assert mail["To"] is not None


def test_a_recipient_by_apprise_needs_no_telephone(
    hook: FakeHttp, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "address").write_text(f"# the guards' room\njson://127.0.0.1:{hook.port}\n")
    people = [{"name": "guards", "channel": "apprise", "address_file": "address", "language": "ko"}]
    path = write_config(tmp_path, recipients=people)

    assert main.main(["send-test", "--config", str(path), "--to", "guards"]) == 0

    assert body(hook)["message"].startswith("wordcam 시험 문자입니다. guards")
    assert capsys.readouterr().out == "guards: apprise, 1 part(s)\n"


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ({"name": "a"}, "'a' has no `phone`"),
        ({"name": "a", "channel": "solapi"}, "'a' has no `phone`"),
        ({"name": "a", "channel": "apprise"}, "'a' has `channel: apprise` and needs `address_file`"),
        ({"name": "a", "channel": "pigeon", "phone": "+82 10 1234 5678"}, "Invalid enum value 'pigeon'"),
        ({"name": "a", "channel": "solapi", "phone": "+82 10 1234 5678"}, "no section `solapi`"),
        ({"name": "a", "channel": "apprise", "address_file": "none"}, "address_file: .*none: No such file"),
        ({"name": "a", "channel": "apprise", "address_file": "two"}, "two holds 2 addresses"),
        ({"name": "a", "channel": "apprise", "address_file": "bad"}, "Apprise cannot read the address"),
    ],
    ids=["no number", "no number for Solapi", "no address", "pigeon", "no account", "no file", "two", "unreadable"],
)
def test_a_contact_that_cannot_be_reached_is_named_before_anything_starts(
    tmp_path: Path, people: dict[str, str], said: str
) -> None:
    (tmp_path / "two").write_text("json://a\njson://b\n")
    (tmp_path / "bad").write_text("no-such-scheme://secret@host\n")
    path = write_config(tmp_path, recipients=[people])

    with pytest.raises(Misconfigured, match=said):
        factory.senders(load(path), io.StringIO())


LINK = "https://wordcam.example/a/17-Xy3k9Qw2PzA"
ENGLISH = "ALERT Gun - North Gate, 12:00: a man is holding a gun #17"


@pytest.mark.parametrize(
    ("said", "labels"),
    [(ENGLISH, ["On my way", "It is over", "False alarm"]), (f"{TEXT} #17", ["출동", "상황 종료", "오경보"])],
)
def test_ntfy_has_a_button_for_each_answer_and_opens_the_page_at_a_tap(
    hook: FakeHttp, said: str, labels: list[str]
) -> None:
    sender(f"ntfy://127.0.0.1:{hook.port}/guards").send("guard", f"{said} {LINK}")

    headers = {name.lower(): value for name, value in hook.accepted[0].headers.items()}
    ((actions, charset),) = decode_header(headers["x-actions"])
    assert isinstance(actions, bytes)
    going, over, false = actions.decode(str(charset)).split("; ")
    assert going == f"http, {labels[0]}, {LINK}/going, method=POST, clear=true"
    assert over == f"http, {labels[1]}, {LINK}/over, method=POST, clear=true"
    assert false == f"http, {labels[2]}, {LINK}/false, method=POST, clear=true"
    assert headers["x-click"] == LINK
    assert body(hook)["message"] == said


def test_what_has_no_buttons_gets_a_labelled_link_for_each_answer(hook: FakeHttp) -> None:
    sender(f"json://127.0.0.1:{hook.port}").send("guard", f"{ENGLISH} {LINK}")

    assert body(hook)["message"].split("\n") == [
        ENGLISH,
        "",
        f"Acknowledge: {LINK}/take",
        f"On my way: {LINK}/going",
        f"It is over: {LINK}/over",
        f"False alarm: {LINK}/false",
    ]


def test_a_mail_has_a_labelled_link_for_each_answer() -> None:
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        address = f"mailto://127.0.0.1:{port}?from=wordcam@example.org&to=guard@example.org&mode=insecure"
        sender(address).send("guard", f"{TEXT} #17 {LINK}")
    finally:
        controller.stop()

    (mail,) = mailbox.mails
    part = mail.get_body(("plain",))
    assert part is not None
    assert f"출동: {LINK}/going" in part.get_content()


@pytest.mark.parametrize(
    "end", ["https://evil.example/a/17-Xy3k9Qw2PzA tail", "https://wordcam.example/b/17-Xy3k9Qw2PzA"]
)
def test_only_a_link_of_ours_at_the_end_becomes_buttons(hook: FakeHttp, end: str) -> None:
    sender(f"json://127.0.0.1:{hook.port}").send("guard", f"{ENGLISH} {end}")

    assert body(hook)["message"] == f"{ENGLISH} {end}"

"""Twilio's reports and people's answers, over HTTP to a console that runs, behind a proxy that Twilio calls."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import httpx
import pytest
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator

from broker.config.broker import Config
from broker.incidents import responses
from broker.incidents.incident import State
from broker.notify.message import texts
from broker.store.tables import core
from broker.store.tables.messaging import delivery, reply
from testing.fake_twilio import TOKEN
from tests.broker.web import sample, seeded_captions
from tests.broker.web.seeded_captions import sid

STATUS, INBOUND = "/twilio/status", "/twilio/inbound"
GUARD, KOREAN = "+12025550143", "+12025550178"

_numbers = iter(range(5000, 9000))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return sample.fill(seeded_captions.config(tmp_path_factory.mktemp("console")), hours=1)


@pytest.fixture(autouse=True)
def rested(config: Config) -> Iterator[None]:
    """Let a minute pass, as far as the limit of answers knows."""
    yield
    seeded_captions.do(config, lambda connection: connection.execute(reply.update().values(at=a_while_ago())))


def a_while_ago() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


def answer(address: str, body: str, *, phone: str = GUARD, number: int | None = None) -> httpx.Response:
    """Let someone answer by text message."""
    form = {"MessageSid": sid(number or next(_numbers)), "From": phone, "To": "+12025550100", "Body": body}
    return seeded_captions.post(address, INBOUND, form)


def spoken(answered: httpx.Response) -> str:
    """Return what is answered, read as the XML that it has to be."""
    assert answered.headers["content-type"] == "text/xml; charset=utf-8"
    message = ElementTree.fromstring(answered.text).find("Message")
    return "" if message is None else (message.text or "")


def reported(config: Config, number: int) -> str | None:
    query = select(delivery.c.status).where(delivery.c.provider_id == sid(number))
    return seeded_captions.look(config, lambda connection: connection.execute(query).scalar())  # type: ignore[no-any-return]


def test_a_signed_report_is_written_down(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config)
    number = seeded_captions.alert_of(config, incident).id

    assert (
        seeded_captions.post(address, STATUS, {"MessageSid": sid(number), "MessageStatus": "delivered"}).status_code
        == 204
    )

    assert reported(config, number) == "delivered"


def test_a_report_of_a_lost_message_makes_it_dead(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config)
    number = seeded_captions.alert_of(config, incident).id

    seeded_captions.post(address, STATUS, {"MessageSid": sid(number), "MessageStatus": "failed", "ErrorCode": "30003"})

    alert = seeded_captions.alert_of(config, incident)
    assert (alert.state, alert.error) == ("dead", "twilio reports: failed Twilio error 30003")


def test_a_report_of_a_message_that_nobody_knows_yet_is_kept_and_changes_nothing(address: str, config: Config) -> None:
    before = seeded_captions.look(config, lambda connection: connection.execute(select(core.alert)).all())

    assert (
        seeded_captions.post(address, STATUS, {"MessageSid": sid(4711), "MessageStatus": "failed"}).status_code == 204
    )

    assert reported(config, 4711) == "failed"
    assert seeded_captions.look(config, lambda connection: connection.execute(select(core.alert)).all()) == before


@pytest.mark.parametrize("path", [STATUS, INBOUND])
@pytest.mark.parametrize("signature", ["", "AAAA", "0" * 28, "Ünïcode".encode().decode("latin-1")])
def test_a_form_without_twilios_signature_does_nothing(address: str, config: Config, path: str, signature: str) -> None:
    incident = seeded_captions.tell(config)
    form = {"MessageSid": sid(1), "From": GUARD, "Body": f"ok {incident.id}", "MessageStatus": "failed"}
    before = seeded_captions.refused(config)["signature"]

    answered = seeded_captions.post(address, path, form, signature=signature)

    assert (answered.status_code, answered.text) == (403, "")
    assert seeded_captions.now(config, incident).state is State.OPEN
    assert seeded_captions.refused(config)["signature"] == before + 1


def test_a_form_without_the_header_is_refused(address: str) -> None:
    assert httpx.post(address + STATUS, data={"MessageSid": sid(1), "MessageStatus": "sent"}).status_code == 403


def test_a_signature_for_another_address_or_another_form_is_refused(address: str, config: Config) -> None:
    form = {"MessageSid": sid(1), "MessageStatus": "sent"}

    assert seeded_captions.post(address, STATUS, form, at=address).status_code == 403
    assert seeded_captions.post(address, STATUS, form, at="https://other.example").status_code == 403
    borrowed = RequestValidator(TOKEN).compute_signature(seeded_captions.PUBLIC + STATUS, form)
    assert (
        seeded_captions.post(address, STATUS, form | {"MessageStatus": "failed"}, signature=borrowed).status_code == 403
    )


@pytest.mark.parametrize(
    ("path", "form", "reason"),
    [
        (STATUS, {}, "no-message"),
        (STATUS, {"MessageSid": sid(1)}, "unknown-status"),
        (STATUS, {"MessageStatus": "sent"}, "no-message"),
        (STATUS, {"MessageSid": "SM1", "MessageStatus": "sent"}, "no-message"),
        (INBOUND, {"From": GUARD, "Body": "ok"}, "no-message"),
        (INBOUND, {"MessageSid": sid(2), "From": GUARD, "Body": "x" * 17_000}, "too-big"),
    ],
)
def test_a_signed_form_that_lacks_something_is_refused_and_counted(
    address: str, config: Config, path: str, form: dict[str, str], reason: str
) -> None:
    before = seeded_captions.refused(config)[reason]

    assert seeded_captions.post(address, path, form).status_code == 400
    assert seeded_captions.refused(config)[reason] == before + 1


def test_a_form_that_is_larger_than_any_is_not_read(address: str) -> None:
    form = {"MessageSid": sid(2), "From": GUARD, "Body": "x" * 100_000}

    assert seeded_captions.post(address, INBOUND, form).status_code == 413


@pytest.mark.parametrize("path", [STATUS, INBOUND])
def test_a_hook_is_no_page(address: str, path: str) -> None:
    assert httpx.get(address + path).status_code == 405


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("ok {n}", State.ACKNOWLEDGED),
        ("Yes! #{n}", State.ACKNOWLEDGED),
        ("1 {n}", State.ACKNOWLEDGED),
        ("확인 {n}", State.ACKNOWLEDGED),
        ("네 #{n}", State.ACKNOWLEDGED),
        ("출동 {n}", State.ACKNOWLEDGED),
        ("done {n}", State.RESOLVED),
        ("상황종료 {n}", State.RESOLVED),
        ("완료 #{n}", State.RESOLVED),
        ("3 {n}", State.FALSE_ALARM),
        ("오보 {n}", State.FALSE_ALARM),
        ("이상없음 {n}", State.RESOLVED),
        ("STOP", State.OPEN),
        ("수신거부", State.OPEN),
        ("who is this?", State.OPEN),
        ("칼을 든 사람이 보여요 {n}", State.OPEN),
    ],
)
def test_a_word_in_either_language_acts(address: str, config: Config, body: str, state: State) -> None:
    incident = seeded_captions.tell(config)

    answered = answer(address, body.format(n=incident.id))

    assert answered.status_code == 200
    assert seeded_captions.now(config, incident).state is state
    assert (f"#{incident.id}" in spoken(answered)) is (state is not State.OPEN)


def test_a_word_without_a_number_is_about_what_one_was_told_last(address: str, config: Config) -> None:
    first, last = seeded_captions.tell(config), seeded_captions.tell(config)

    answer(address, "확인")

    assert seeded_captions.now(config, first).state is State.OPEN
    assert seeded_captions.now(config, last).state is State.ACKNOWLEDGED


def test_everyone_is_answered_in_their_language(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config, person=1)

    assert spoken(answer(address, f"확인 {incident.id}", phone=KOREAN)).startswith("확인되었습니다.")
    assert spoken(answer(address, "뭐라고요?", phone=KOREAN)) == texts.of("ko").replies.help


def test_an_answer_that_is_sent_again_acts_once_and_is_not_answered_twice(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config)
    answer(address, f"ok {incident.id}", number=4900)
    seeded_captions.do(
        config, lambda connection: responses.resolve(connection, incident.id, by="kim", how="console", at=a_while_ago())
    )

    again = answer(address, f"ok {incident.id}", number=4900)

    assert (again.status_code, spoken(again)) == (200, "")
    asked = select(func.count()).select_from(reply).where(reply.c.provider_id == sid(4900))
    assert seeded_captions.look(config, lambda connection: connection.execute(asked).scalar()) == 1


def test_nobody_answers_for_another(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config)

    answer(address, f"done {incident.id}", phone=KOREAN)
    stranger = answer(address, f"done {incident.id}", phone="+12025550111")

    assert spoken(stranger) == ""
    assert seeded_captions.now(config, incident).state is State.OPEN


@pytest.mark.parametrize(
    "body", ["<script>alert(1)</script>", "'); DROP TABLE alert; --", "=cmd|'/c calc'!A1", "ok ]]><Message>x</Message>"]
)
def test_a_hostile_answer_is_answered_politely_and_does_nothing(address: str, config: Config, body: str) -> None:
    incident = seeded_captions.tell(config)

    answered = answer(address, body)

    assert answered.status_code == 200
    assert body not in answered.text
    assert seeded_captions.now(config, incident).state is State.OPEN


def test_a_query_of_the_registered_address_is_signed_too(address: str, config: Config) -> None:
    incident = seeded_captions.tell(config)
    number = seeded_captions.alert_of(config, incident).id
    form = {"MessageSid": sid(number), "MessageStatus": "delivered"}

    assert seeded_captions.post(address, f"{STATUS}?site=7&kind=sms", form).status_code == 204
    assert reported(config, number) == "delivered"

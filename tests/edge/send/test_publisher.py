"""Sending: against a real Mosquitto, with the process run in a thread so that its inside can be looked at."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from contract import thresholds, topics, update
from contract.ack import Ack
from contract.caption import Caption
from contract.status import CameraCondition, Condition, State, Status
from contract.thresholds import Raised, Thresholds
from contract.update import Offer
from edge import config
from edge.errors import Failure, Misconfigured
from edge.outbox import process_report, raised_thresholds
from edge.outbox.outbox import Outbox
from edge.send import admission
from edge.send.allowance import Allowance
from edge.send.publisher import WINDOW, Send
from edge.send.updates import Updates
from edge.update.installed import Installed
from testing.loopback import free_port
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.edge.outbox.test_outbox import danger, event, put_picture
from tests.edge.send.gateway import Gateway
from tests.edge.send.server import Service, refuse, served

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
THRESHOLDS = Thresholds(site="lab", device="dev-1", at=NOON, raised=(Raised("cam-0", "fire", 0.8, NOON),))


@dataclass
class Sender:
    """A `Send` in a thread of its own, with its own connection to the outbox."""

    box: Outbox
    updates: Callable[[Outbox], Updates] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    error: Failure | None = None
    connects: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def run(self, settings: config.Mqtt) -> None:
        try:
            with Outbox(self.box.path, 1000) as box:
                Send(
                    box,
                    settings,
                    site="lab",
                    device="dev-1",
                    version="1.2.3",
                    updates=self.updates(box) if self.updates is not None else None,
                    allowance=Allowance(
                        self.box.path.parent, settings.max_bytes_per_hour, time.monotonic, lambda: datetime.now(UTC)
                    ),
                    fallback=None,
                    on_connect=self.connects.release,
                    on_progress=lambda: None,
                ).run(self.stop)
        except Failure as error:
            self.error = error


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite", 1000) as made:
        yield made


def mqtt(server: Mosquitto, **more: object) -> config.Mqtt:
    known: dict[str, object] = {"host": server.host, "port": server.port, "first_retry_seconds": 0.1}
    known |= {"max_retry_seconds": 0.3, "resend_seconds": 1.0}
    return config.Mqtt(**(known | more))  # type: ignore[arg-type]  # the tests' own keywords


@contextmanager
def sending(box: Outbox, settings: config.Mqtt, updates: Callable[[Outbox], Updates] | None = None) -> Iterator[Sender]:
    sender = Sender(box, updates)
    thread = threading.Thread(target=sender.run, args=(settings,))
    thread.start()
    try:
        yield sender
    finally:
        sender.stop.set()
        thread.join(30)
        assert not thread.is_alive()


def fill(box: Outbox, count: int) -> list[str]:
    return [box.append(event).text for _ in range(count)]


def is_empty(box: Outbox) -> bool:
    return box.ledger().waiting == 0


def test_everything_arrives_once_in_order_and_leaves_the_outbox_when_acknowledged(
    box: Outbox, mosquitto: Mosquitto
) -> None:
    said = fill(box, 3 * WINDOW)
    with served(mosquitto) as service, sending(box, mqtt(mosquitto)):
        wait_until(lambda: is_empty(box), "an empty outbox")
        said += fill(box, 2)
        wait_until(lambda: is_empty(box), "an empty outbox again")

    assert service.texts == said
    assert box.ledger().given_up == 0


def test_bytes_sent_are_payload_and_topic_of_each_caption(box: Outbox, mosquitto: Mosquitto) -> None:
    fill(box, 3)
    sent = [admission.admitted(found, site="lab", device="dev-1") for found in box.waiting(limit=9)]
    sizes = [len(payload) + len(topics.topic("lab", "dev-1", "caption")) for payload in sent]
    with served(mosquitto), sending(box, mqtt(mosquitto)):
        wait_until(lambda: is_empty(box), "an empty outbox")

    assert box.ledger().sent_bytes == sum(sizes)


def test_an_mqtt_servers_receipt_is_not_enough_to_forget(
    box: Outbox, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    fill(box, 2)
    with served(mosquitto, lambda event: None) as silent, sending(box, mqtt(mosquitto)):
        wait_until(lambda: len(silent.captions) >= 4, "each caption sent twice")

    assert "not acknowledged" in caplog.messages
    assert box.ledger().waiting == 2
    assert {text: silent.texts.count(text) for text in set(silent.texts)}.keys() == {"sentence 0", "sentence 1"}
    assert len({found.id for found in silent.captions}) == 2


def test_a_caption_whose_acknowledgement_was_lost_is_sent_again(box: Outbox, mosquitto: Mosquitto) -> None:
    fill(box, 1)
    deaf = [True]

    def answer(found: object) -> Ack | None:
        return None if deaf and deaf.pop() else Ack(stored=(event(0).id,))

    with served(mosquitto, answer) as service, sending(box, mqtt(mosquitto)):
        wait_until(lambda: is_empty(box), "an empty outbox")

    assert service.texts == ["sentence 0"] * 2


def test_a_refused_caption_is_let_go_and_counted(box: Outbox, mosquitto: Mosquitto) -> None:
    fill(box, 2)
    with served(mosquitto, refuse), sending(box, mqtt(mosquitto)):
        wait_until(lambda: is_empty(box), "an empty outbox")

    assert box.ledger().given_up == 2


def test_a_broken_acknowledgement_changes_nothing(box: Outbox, mosquitto: Mosquitto) -> None:
    fill(box, 1)
    with served(mosquitto, lambda event: None) as service, sending(box, mqtt(mosquitto)):
        wait_until(lambda: service.captions, "the caption")
        for payload in (b"", b"\xff\xfe", b"{}", b'{"stored": 3}', b'{"stored": ["never heard of"]}', bytes(5000)):
            service.say(payload)
        service.say(b'{"stored": ["event-000000"]}')
        wait_until(lambda: is_empty(box), "an empty outbox")


def test_what_was_written_while_the_server_was_down_arrives_when_it_is_back(box: Outbox, tmp_path: Path) -> None:
    server = Mosquitto(tmp_path / "mosquitto")
    said = fill(box, 2)
    with sending(box, mqtt(server)):
        with server, served(server) as first:
            wait_until(lambda: is_empty(box), "an empty outbox")
        more = fill(box, 3)
        with server, served(server) as second:
            wait_until(lambda: is_empty(box), "an empty outbox again")

    assert first.texts == said
    assert second.texts == more


def test_a_server_that_is_killed_in_between_costs_nothing(box: Outbox, tmp_path: Path) -> None:
    server = Mosquitto(tmp_path / "mosquitto")
    fill(box, 5)
    with sending(box, mqtt(server)):
        with server, served(server, lambda event: None) as silent:
            wait_until(lambda: len(silent.captions) >= 5, "five captions")
            server.kill()
        with server, served(server) as service:
            wait_until(lambda: is_empty(box), "an empty outbox")

    assert service.texts[:5] == [event(seq).text for seq in range(5)]


def test_birth_heartbeat_and_farewell_are_retained_states(box: Outbox, mosquitto: Mosquitto) -> None:
    with served(mosquitto) as service:
        with sending(box, mqtt(mosquitto, status_seconds=0.2)):
            fill(box, 2)
            wait_until(lambda: len(service.statuses) >= 3, "a heartbeat")
            with served(mosquitto) as late:
                wait_until(lambda: late.statuses, "the retained status")
        wait_until(lambda: service.statuses[-1][0].state is State.OFFLINE, "the farewell")

    birth, farewell = service.statuses[0][0], service.statuses[-1][0]
    beat = service.statuses[-2][0]
    assert late.statuses[0][1], "retained"
    assert (birth.state, birth.version, birth.at is not None) == (State.ONLINE, "1.2.3", True)
    assert beat.ledger is not None
    assert farewell.ledger is not None
    assert farewell.ledger.captions == 2
    assert (beat.ledger.captions, beat.ledger.waiting) == (2, 0)
    assert [stage.name for stage in beat.stages] == ["ack"]
    assert (farewell.reason, farewell.since) == ("stopped", birth.since)


def test_a_device_that_vanishes_is_told_by_its_will(box: Outbox, mosquitto: Mosquitto) -> None:
    with (
        served(mosquitto) as service,
        Gateway(mosquitto) as gateway,
        sending(box, mqtt(mosquitto, port=gateway.port, max_retry_seconds=60, first_retry_seconds=60)),
    ):
        wait_until(lambda: service.statuses, "the birth")
        gateway.cut()
        wait_until(lambda: len(service.statuses) > 1, "the will")

    will = service.statuses[1][0]
    assert (will.state, will.reason, will.at) == (State.OFFLINE, "connection lost", None)
    assert will.since == service.statuses[0][0].since


def test_that_the_camera_has_gone_is_told_at_once(box: Outbox, mosquitto: Mosquitto) -> None:
    gone = process_report.Report(model="tiny@0.1.0", reason="camera gone: /dev/video0")
    with served(mosquitto) as service, sending(box, mqtt(mosquitto, status_seconds=3600)):
        wait_until(lambda: service.statuses, "the birth")
        process_report.leave(box, process_report.LOOK, gone)
        wait_until(lambda: service.statuses[-1][0].reason == gone.reason, "the news")
        process_report.leave(box, process_report.LOOK, process_report.Report(model="tiny@0.1.0"))
        wait_until(lambda: not service.statuses[-1][0].reason, "the all-clear")

    assert [said.model for said, _ in service.statuses[1:]] == ["tiny@0.1.0"] * (len(service.statuses) - 1)


def test_a_camera_condition_is_published_at_once_and_taken_back(box: Outbox, mosquitto: Mosquitto) -> None:
    covered = CameraCondition("cam-0", Condition.COVERED, datetime(2026, 1, 1, tzinfo=UTC))
    with served(mosquitto) as service, sending(box, mqtt(mosquitto, status_seconds=3600)):
        wait_until(lambda: service.statuses, "the birth")
        process_report.leave(box, process_report.LOOK, process_report.Report(conditions=(covered,)))
        wait_until(lambda: service.statuses[-1][0].conditions == (covered,), "the condition")
        process_report.leave(box, process_report.LOOK, process_report.Report())
        wait_until(lambda: service.statuses[-1][0].conditions is msgspec.UNSET, "the all-clear")


def test_the_status_says_while_evidence_is_kept_and_nothing_of_it_otherwise(box: Outbox, mosquitto: Mosquitto) -> None:
    with served(mosquitto) as service, sending(box, mqtt(mosquitto, status_seconds=3600)):
        wait_until(lambda: service.statuses, "the birth")
        assert service.statuses[-1][0].evidence is msgspec.UNSET
        process_report.leave(box, process_report.LOOK, process_report.Report(keeps_evidence=True))
        wait_until(lambda: service.statuses[-1][0].evidence is True, "the news")


def test_a_connection_that_is_cut_is_made_again(box: Outbox, mosquitto: Mosquitto) -> None:
    with (
        served(mosquitto) as service,
        Gateway(mosquitto) as gateway,
        sending(box, mqtt(mosquitto, port=gateway.port)),
    ):
        for _ in range(4):
            (said,) = fill(box, 1)
            wait_until(lambda said=said: said in service.texts and is_empty(box), said)  # type: ignore[misc]  # bound now
            gateway.cut()


@pytest.mark.parametrize("password", [True, False], ids=["wrong password", "no password"])
def test_a_refused_login_is_tried_again_until_the_server_knows_us(
    box: Outbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, password: bool
) -> None:
    fill(box, 1)
    (tmp_path / "password").write_text("right", encoding="utf-8")
    login = {"username": "dev-1", "password_file": tmp_path / "password"} if password else {"username": "dev-1"}
    before = Mosquitto(tmp_path / "before", users={"dev-1": "another"})
    with sending(box, mqtt(before, **login)) as sender:
        with before:
            wait_until(lambda: len(refusals(caplog)) >= 3, "three refusals")
            assert sender.error is None
        after = Mosquitto(tmp_path / "after", users={"dev-1": "right"} if password else {}, port=before.port)
        with after, served(after) as service:
            wait_until(lambda: is_empty(box), "an empty outbox")
            wait_until(lambda: service.statuses, "the birth")

    assert refusals(caplog)[0].startswith(f"{before.host}:{before.port}: the server refused the login: Not authorized")
    assert "see `mqtt.username`" in refusals(caplog)[0]


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    reasons = [str(record.__dict__.get("reason")) for record in caplog.records if record.msg == "not connected"]
    return [reason for reason in reasons if "refused the login" in reason]


def test_why_the_device_was_away_is_in_its_birth_message_once(box: Outbox, mosquitto: Mosquitto) -> None:
    with (
        served(mosquitto) as service,
        Gateway(mosquitto) as gateway,
        sending(box, mqtt(mosquitto, port=gateway.port, status_seconds=0.2)),
    ):
        wait_until(lambda: service.statuses, "the birth")
        gateway.cut()
        wait_until(lambda: "the connection ended" in online(service)[-1].reason, "the reason")
        wait_until(lambda: not online(service)[-1].reason, "a heartbeat without it")


def online(service: Service) -> list[Status]:
    return [said for said, _ in service.statuses if said.state is State.ONLINE]


def test_a_second_device_of_the_same_name_is_named_and_logins_grow_rare(
    box: Outbox, tmp_path: Path, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    settings = mqtt(mosquitto, max_retry_seconds=3600, first_retry_seconds=0.05)
    with (
        Outbox(tmp_path / "other.sqlite", 9) as other,
        served(mosquitto) as service,
        sending(box, settings),
        sending(other, settings),
    ):
        wait_until(lambda: any("another device uses" in said.reason for said in online(service)), "the reason")
        wait_until(lambda: sum("another device uses" in wait[0] for wait in waits(caplog)) >= 6, "six takeovers")

    seconds = [wait[1] for wait in waits(caplog)]
    assert max(seconds) > 4 * min(seconds[:2])


def waits(caplog: pytest.LogCaptureFixture) -> list[tuple[str, float]]:
    found = [record.__dict__ for record in caplog.records if record.msg == "not connected"]
    return [(str(record["reason"]), float(record["retry_seconds"])) for record in found]


def test_a_picture_in_the_outbox_is_never_published_and_is_counted_in_the_status(
    box: Outbox, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    put_picture(box.path, 500)
    fill(box, 1)
    with served(mosquitto) as service, sending(box, mqtt(mosquitto, status_seconds=0.2)):
        wait_until(lambda: is_empty(box), "an empty outbox")
        wait_until(lambda: said_not_schema(service) == 1, "the count")

    assert service.texts == ["sentence 0"]
    assert "not a caption; deleted, not sent" in caplog.messages
    assert box.ledger().given_up == 1


def test_a_note_that_is_none_is_not_sent_and_is_counted(box: Outbox, mosquitto: Mosquitto) -> None:
    box.report(process_report.LOOK, b'{"model": "' + b"QUJD" * 500 + b'"}')
    with served(mosquitto) as service, sending(box, mqtt(mosquitto, status_seconds=0.2)):
        wait_until(lambda: said_not_schema(service) == 1, "the count")

    assert {said.model for said, _ in service.statuses} == {""}


def said_not_schema(service: Service) -> object:
    ledgers = [said.ledger for said, _ in service.statuses if said.ledger is not None]
    return ledgers[-1].not_schema if ledgers else 0


def test_a_window_of_unanswered_captions_holds_up_no_danger(box: Outbox, mosquitto: Mosquitto) -> None:
    fill(box, 2 * WINDOW)

    def answer(found: Caption) -> Ack | None:
        return Ack(stored=(found.id,)) if found.hazards else None

    with served(mosquitto, answer) as service, sending(box, mqtt(mosquitto, resend_seconds=3600)):
        wait_until(lambda: len(service.captions) == WINDOW, "a full window")
        late = box.append(danger)
        wait_until(lambda: box.ledger().waiting == 2 * WINDOW, "the danger is acknowledged")

    assert service.captions[-1].id == late.id


def test_dangers_go_first(box: Outbox, mosquitto: Mosquitto) -> None:
    for kind in (event, event, danger, event, danger):
        box.append(kind)
    with served(mosquitto) as service, sending(box, mqtt(mosquitto)):
        wait_until(lambda: is_empty(box), "an empty outbox")

    assert [found.seq for found in service.captions] == [2, 4, 0, 1, 3]


def test_the_right_password_lets_us_in(box: Outbox, tmp_path: Path) -> None:
    fill(box, 1)
    (tmp_path / "password").write_text("right\n", encoding="utf-8")
    with (
        Mosquitto(tmp_path / "mosquitto", users={"dev-1": "right"}) as server,
        served(server),
        sending(box, mqtt(server, username="dev-1", password_file=tmp_path / "password")),
    ):
        wait_until(lambda: is_empty(box), "an empty outbox")


def test_a_topic_that_the_server_forbids_is_told_and_costs_nothing(
    box: Outbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(box, 1)
    (tmp_path / "password").write_text("right", encoding="utf-8")
    acl = "user dev-1\ntopic read wordcam/v1/lab/dev-1/ack\n"
    with (
        Mosquitto(tmp_path / "mosquitto", users={"dev-1": "right"}, acl=acl) as server,
        sending(box, mqtt(server, username="dev-1", password_file=tmp_path / "password")),
    ):
        wait_until(lambda: "publication turned down" in caplog.messages, "the server's refusal in the log")

    (why,) = {record.__dict__["reason"] for record in caplog.records if "turned down" in record.getMessage()}
    assert why == "Not authorized"
    assert box.ledger().waiting == 1


def test_thresholds_that_people_raised_while_the_device_was_away_are_left_for_the_one_that_looks(
    box: Outbox, mosquitto: Mosquitto
) -> None:
    raised = (Raised("cam-0", "fire", 0.8, NOON),)
    with served(mosquitto) as service:
        service.retain(topics.topic("lab", "dev-1", "thresholds"), thresholds.encode(THRESHOLDS))
        with sending(box, mqtt(mosquitto)):
            wait_until(lambda: raised_thresholds.read(box) == raised, "the raised thresholds")
            taken_back = msgspec.structs.replace(THRESHOLDS, raised=())
            service.retain(topics.topic("lab", "dev-1", "thresholds"), thresholds.encode(taken_back))
            wait_until(lambda: raised_thresholds.read(box) == (), "no raised threshold")


@pytest.mark.parametrize("payload", [b"{", thresholds.encode(msgspec.structs.replace(THRESHOLDS, device="dev-2"))])
def test_thresholds_that_are_not_ours_change_nothing(
    payload: bytes, box: Outbox, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    with served(mosquitto) as service, sending(box, mqtt(mosquitto)):
        service.retain(topics.topic("lab", "dev-1", "thresholds"), payload)
        wait_until(lambda: "thresholds not understood" in caplog.messages, "a line in the log")

    assert raised_thresholds.read(box) == ()


def test_an_offer_for_another_device_on_this_ones_topic_starts_nothing(
    box: Outbox, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    started: list[str] = []

    def updates(own: Outbox) -> Updates:
        def start() -> subprocess.Popen[bytes]:
            started.append("update")
            return subprocess.Popen(["true"])

        return Updates(own, "standard", start, Installed(tmp_path / "models", tmp_path), chance=lambda: 0.0)

    other = Offer(site="lab", device="dev-2", at=NOON, target="standard/wordcam-1-1.1.0.tar")
    with served(mosquitto) as service, sending(box, mqtt(mosquitto), updates):
        service.retain(topics.topic("lab", "dev-1", "update"), update.encode(other))
        wait_until(lambda: "offer not understood" in caplog.messages, "a line in the log")
        ours = msgspec.structs.replace(other, device="dev-1")
        service.retain(topics.topic("lab", "dev-1", "update"), update.encode(ours))
        wait_until(lambda: started, "its own offer to be taken")

    assert started == ["update"]


def test_a_server_that_never_answers_is_not_called_connected(
    box: Outbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(box, 1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings = mqtt(Mosquitto(tmp_path, port=mute.getsockname()[1]))
        with sending(box, settings):
            mute.accept()[0].close()
            mute.accept()[0].close()

    assert not any(record.getMessage() == "connected" for record in caplog.records)
    assert box.ledger().sent_bytes == 0


def test_a_missing_certificate_is_named(box: Outbox, tmp_path: Path) -> None:
    sender = Sender(box)
    sender.run(config.Mqtt(host="127.0.0.1", port=free_port(), tls=config.Tls(ca_file=tmp_path / "ca.pem")))

    assert isinstance(sender.error, Misconfigured)
    assert str(sender.error).startswith("`mqtt.tls`: No such file or directory; see ")
    assert str(sender.error).endswith("ca.pem")


def test_a_flood_leaves_at_the_hourly_rate_and_dangers_first(mosquitto: Mosquitto, box: Outbox) -> None:
    with served(mosquitto) as service, sending(box, mqtt(mosquitto, max_bytes_per_hour=65_536)):
        fill(box, 400)
        wait_until(lambda: len(service.captions) > 50, "as much as an hour's bytes")
        before = -1
        while before != len(service.captions):
            before = len(service.captions)
            threading.Event().wait(0.5)

    sent = sum(len(msgspec.json.encode(event)) for event in {event.id: event for event in service.captions}.values())
    assert sent < 2 * 65_536
    assert box.ledger().waiting > 100, "they wait; nothing is lost"

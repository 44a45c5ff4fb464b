"""Texts that the composer makes of what the database holds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from broker.config.broker import Recipient
from broker.config.section import Language, Wording
from broker.config.sites import Places
from broker.notify import notifications
from broker.notify.links import Signer
from broker.notify.message import render, segments
from broker.notify.message.composer import Composer
from broker.notify.message.render import Telling
from broker.notify.opt_out import OptOut
from broker.notify.translation.offline import OfflineTranslator
from broker.rules import compiler
from broker.rules.schema import RulesFile, RuleText
from broker.store import migrate
from broker.store.engine import open_engine, reading, writing
from tests.broker.device import NOON, Clock, event, said
from tests.broker.scene import CHIEF, GUARD, RULES, make_processor

AT = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            "NOTE: guard wrote STOP and gets no notifications until START. Open alarms go to the next person.",
        ),
        ("ko", "[안내] guard 님 수신 거부(STOP). START 전까지 알림이 가지 않아 다음 담당자에게 보냅니다."),
    ],
)
def test_a_supervisor_reads_who_wrote_stop(tmp_path: Path, language: Language, expected: str) -> None:
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.require_current(engine)
    chief = type(CHIEF)(name="chief", phone=CHIEF.phone, language=language)
    with writing(engine) as connection:
        OptOut((GUARD, chief), ()).stop(connection, GUARD, at=AT)
        told = notifications.next_due(connection, at=AT)
    engine.dispose()

    assert told is not None
    text = Composer(Places.nameless(), RULES, OfflineTranslator())(told, AT)

    assert text == expected
    assert segments.is_one(text)


@pytest.mark.parametrize(
    ("sentence", "danger"),
    [("two men in suits standing in a room", "camera suspects gun (73 %)"), ("a man with a gun", "Gun")],
)
def test_what_rests_on_evidence_alone_is_not_told_as_if_seen(tmp_path: Path, sentence: str, danger: str) -> None:
    book = compiler.build(
        RulesFile(rules=(RuleText(name="gun", title="Gun", says=("gun",), hazards={"gun": 0.6}, severity="critical"),)),
        origin="rules.yaml",
    )
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.require_current(engine)
    processor = make_processor(engine, book, [GUARD], clock=Clock(NOON))
    processor.process([said(event(sentence, hazards={"gun": 0.734}))])
    with reading(engine) as connection:
        told = notifications.next_due(connection, at=NOON)
    engine.dispose()

    assert told is not None
    assert f"ALERT {danger} - " in Composer(Places.nameless(), book, OfflineTranslator())(told, NOON)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_text_with_its_link_is_one_part_and_is_kept_masked(tmp_path: Path, language: Language) -> None:
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.require_current(engine)
    signer = Signer("https://wordcam.example", "x" * 32, timedelta(hours=1))
    guard = Recipient(name="guard", phone=GUARD.phone, language=language)
    make_processor(engine, RULES, [guard], clock=Clock(NOON)).process([said(event("a man with a gun"))])
    with reading(engine) as connection:
        told = notifications.next_due(connection, at=NOON)
    engine.dispose()
    assert told is not None

    places = Places({("north-gate",): "북문", ("north-gate", "pi-01"): "1호기"}, {}, ZoneInfo("UTC"))
    kept = Composer(places, RULES, OfflineTranslator(), signer=signer)(told, NOON)
    sent = signer.reveal(told.id, kept)

    assert kept.endswith("#1 https://wordcam.example/a/1-***********")
    assert sent.endswith(f"#1 {signer.link(1)}")
    assert segments.is_one(sent)
    assert signer.read(sent.rpartition("/")[2]) == told.id


def test_a_link_that_has_no_room_beside_the_names_goes_before_a_second_part_is_sent() -> None:
    names: dict[str, Any] = {
        "title": "총기",
        "site": "서울시립미술관 서소문 본관",
        "device": "지하 이층 주차장 1호기",
        "stream": "현관",
    }
    told = Telling(
        **names, at=NOON, sentence="불", original="불", incident=7, link="https://wordcam.example/a/7-***********"
    )

    text = render.text(told, language="ko", now=NOON)

    assert text.endswith("불 #7")
    assert segments.is_one(text)


@pytest.mark.parametrize(
    ("streams", "names", "place"),
    [
        pytest.param(["cam-0"], {}, "Plant 2, Gate: ", id="the only camera of its device"),
        pytest.param(["cam-1", "cam-0"], {}, "Plant 2, Gate, cam-0, ", id="one of two"),
        pytest.param(
            ["cam-0"], {("north-gate", "pi-01", "cam-0"): "Door"}, "Plant 2, Gate, Door, ", id="it has a name"
        ),
    ],
)
def test_a_camera_that_tells_nothing_is_not_named(
    tmp_path: Path, streams: list[str], names: dict[tuple[str, ...], str | Wording], place: str
) -> None:
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.require_current(engine)
    processor = make_processor(engine, RULES, [GUARD], clock=Clock(NOON))
    for seq, stream in enumerate(streams):
        text = "a man with a gun" if stream == "cam-0" else "a man walks"
        processor.process([said(event(text, seq=seq, stream=stream, captured_at=NOON))])
    with reading(engine) as connection:
        told = notifications.next_due(connection, at=NOON)
    engine.dispose()
    assert told is not None

    known: dict[tuple[str, ...], str | Wording] = {("north-gate",): "Plant 2", ("north-gate", "pi-01"): "Gate"}
    places = Places(known | names, {}, ZoneInfo("UTC"))
    text = Composer(places, RULES, OfflineTranslator())(told, NOON)

    assert f" - {place}".replace(": ", ", 03:00: ") in text

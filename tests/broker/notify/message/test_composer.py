"""Texts that the composer makes of what the database holds."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.config.section import Language
from broker.config.sites import Places
from broker.notify import notifications
from broker.notify.message import segments
from broker.notify.message.composer import Composer
from broker.notify.opt_out import OptOut
from broker.notify.translation.offline import OfflineTranslator
from broker.store import migrate
from broker.store.engine import open_engine, writing
from tests.broker.scene import CHIEF, GUARD, RULES

AT = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            "NOTE: guard wrote STOP and gets no notifications until START. Open alarms go to the next person.",
        ),
        ("ko", "[안내] guard 님 수신 거부(STOP). START 전까지 알림이 가지 않아 다음 담당자에게 보냅니다."),
    ],
)
def test_a_supervisor_reads_who_wrote_stop(tmp_path: Path, language: Language, said: str) -> None:
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.require_current(engine)
    chief = type(CHIEF)(name="chief", phone=CHIEF.phone, language=language)
    with writing(engine) as connection:
        OptOut((GUARD, chief), ()).stop(connection, GUARD, at=AT)
        told = notifications.next_due(connection, at=AT)
    engine.dispose()

    assert told is not None
    text = Composer(Places.nameless(), RULES, OfflineTranslator())(told, AT)

    assert text == said
    assert segments.is_one(text)

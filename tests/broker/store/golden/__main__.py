"""Writes the database that this version leaves behind as SQL, with something in every table that a site fills."""

import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from broker.incidents import silence
from broker.incidents.presence import devices
from broker.incidents.responses import acknowledge, note, resolve
from broker.incidents.silence import Silence
from broker.ingest import rejections
from broker.ingest.decoder import Rejection
from broker.notify import delivery_reports, notifications, replies
from broker.notify.delivery_reports import Report
from broker.notify.translation import cache
from broker.retention import audit
from broker.retention.audit import Entry
from broker.store import search, statistics
from broker.store.engine import writing
from broker.store.tables.messaging import resend
from broker.web import floor_plans, search_terms
from broker.web.accounts import attempts, sessions, users
from broker.web.accounts.account import Account, Role
from broker.web.accounts.throttle import Origin
from broker.web.floor_plans import Place, Plan
from contract.status import Ledger
from tests.broker.device import NOON, status
from tests.broker.scene import Scene

HERE = Path(__file__).resolve().parent


def fill(room: Scene) -> None:
    """Let a day pass: two incidents, messages of several kinds, answers, an account, a plan."""
    room.say("a man walks")
    room.say("a man with a gun")
    room.deliver()
    room.do(acknowledge, 1, by="guard", how="sms")
    room.do(note, 1, "on my way", by="guard")
    room.do(resolve, 1, by="guard", how="console")
    room.walk()
    room.deliver()
    room.clock.now += timedelta(hours=1)
    room.say("fire", camera="cam-1")
    with writing(room.engine) as connection:
        _rest(connection)


def _rest(connection: Connection) -> None:
    delivery_reports.record(connection, Report("test", "T1", "delivered", "", NOON))
    answer = {"provider": "twilio", "provider_id": "SM1", "at": NOON, "phone": "+12025550143", "recipient": "guard"}
    replies.add(connection, answer | {"text": "ok", "meaning": "acknowledge", "effect": "done", "incident_id": 1})
    connection.execute(resend.insert(), {"alert_id": 1, "asked_at": NOON, "asked_by": "kim"})
    cache.keep(connection, ("deepl", "ko", "a man walks"), "한 남자가 걷는다", at=NOON, limit=9)
    wish = Silence("kim", "welding", {"site": ("pier",)}, NOON, NOON + timedelta(hours=1))
    silence.add(connection, wish, at=NOON)
    devices.record(connection, status(ledger=Ledger(sent_bytes=9)), heard_at=NOON)
    statistics.sample(connection, {("north-gate", "pi-01"): Ledger(sent_bytes=9)}, at=NOON)
    floor_plans.put(connection, Plan("north-gate", "image/png", 2, 2, NOON), b"\x89PNG")
    floor_plans.set_place(connection, "north-gate", "pi-01", Place(0.5, 0.5))
    account = users.add(connection, Account("kim", Role.ADMINISTRATOR, "ko", "no hash", NOON, NOON))
    sessions.start(connection, account, address="127.0.0.1", at=NOON)
    sessions.add_token(connection, account, label="test", at=NOON, valid=timedelta(days=1))
    attempts.begin(connection, Origin("kim", "127.0.0.1"), at=NOON, forget_before=NOON - timedelta(days=1))
    audit.add(connection, Entry(NOON, "kim", "terminal", "login"))
    rejections.count(connection, _unreadable(), at=NOON)
    search.index(connection, [search_terms.entry(one, "") for one in search.unindexed(connection, limit=9)])
    assert notifications.count_by_state(connection), "the day has messages"


def _unreadable() -> Rejection:
    return Rejection("not-json", "expected value", "wordcam/v1/north-gate/pi-01/caption", b"{", None, None)


def dump(connection: Connection) -> Iterator[str]:
    """Yield the statements that make a database anew; its full-text index is filled by its own triggers."""
    made = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'caption_fts_%'"
    things = connection.exec_driver_sql(f"{made} ORDER BY type != 'table', rowid").all()
    yield from (f"{sql};" for kind, _, sql in things if kind in ("table", "trigger"))
    for kind, name, sql in things:
        if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
            names = [row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({name})")]
            quoted = " || ',' || ".join(f'quote("{column}")' for column in names)
            for (values,) in connection.exec_driver_sql(f"SELECT {quoted} FROM {name} ORDER BY rowid"):
                yield f"INSERT INTO {name} VALUES({values});"
    yield from (f"{sql};" for kind, _, sql in things if kind == "index")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        room = Scene(Path(folder))
        fill(room)
        with writing(room.engine) as connection:
            text = "\n".join(["PRAGMA foreign_keys = OFF;", "BEGIN;", *dump(connection), "COMMIT;", ""])
        room.close()
    (HERE / f"wordcam-{sys.argv[1]}.sql").write_text(text, encoding="utf-8")

"""What each page of the console costs over a million captions, by what it costs over a thousand.

The console serves a database that is written here: a fortnight of twenty cameras, one caption in ten with a danger that
a rule fired on, so that every page is as full over a thousand captions as over a million.
"""

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import Connection, Engine, insert

from bench.fixtures.caption_stream import DANGERS, SENTENCES
from broker.config.broker import Config, Site
from broker.config.database import Database
from broker.config.web import Web
from broker.incidents import store
from broker.incidents.incident import Incident, State
from broker.notify.translation.offline import OfflineTranslator
from broker.store import migrate, rollup
from broker.store.engine import open_engine, writing
from broker.store.rollup import Counted
from broker.store.tables import console, core
from broker.web import search_terms, server
from broker.web.accounts import sessions, users
from broker.web.accounts.account import Account, Role
from contract import caption as contract

SPAN: Final = timedelta(days=14)
SITES: Final = ("north", "south")
DEVICES: Final = 10
"""At each site."""

ONE_DANGER_IN: Final = 10
ONE_INCIDENT_IN: Final = 30
OPEN: Final = 5
"""Incidents that wait for an answer."""

PHRASES: Final = 400
"""Sentences, each in both languages; more would only take longer to translate."""

AT_ONCE: Final = 20_000

PATHS: Final = (
    *("/", "/incidents", "/incidents?state=open", "/incidents?state=resolved", "/incidents/3"),
    *("/history", "/history?q=man", "/history?q=zebra", "/history?q=%EB%82%A8%EC%9E%90", "/history?danger=true"),
    *("/history?rule=gun", "/history?site=north", "/history?site=north&device=pi-1", "/history?day={day}"),
    *("/history?day={day}&q=man", "/history?day={day}&danger=true", "/history?q=gun&danger=true"),
    *("/devices", "/plots?span=day", "/plots?span=week", "/plots?span=month", "/plots?span=month&site=north"),
    *("/rules", "/silences", "/messages", "/audit", "/users", "/privacy", "/account"),
    *("/api/v1/captions?q=man", "/api/v1/captions?site=north", "/api/v1/incidents?state=open", "/api/v1/devices"),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one page costs."""

    path: str
    few_seconds: float
    many_seconds: float

    @property
    def ratio(self) -> float:
        """How many times as much over many captions as over few."""
        return self.many_seconds / self.few_seconds


def compare(few: int, many: int, rounds: int) -> list[Cost]:
    """Return the cost of each page over both databases, the worst first.

    Each is the least of some rounds: what else runs on the machine makes pages slower and never faster.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [_seed(Path(folder) / f"{count}.db", count) for count in (few, many)]
        with _console(paths[0]) as small, _console(paths[1]) as large:
            found = [_measure(page, small, large, rounds) for page in PATHS]
    return sorted(found, key=lambda cost: -cost.ratio)


def _seed(path: Path, count: int) -> Path:
    engine = open_engine(path)
    migrate.migrate(engine)
    now = datetime.now(UTC)
    phrases = [_phrase(text) for text in (*SENTENCES[:: len(SENTENCES) // PHRASES], *DANGERS)]
    with writing(engine) as connection:
        for number in range(count // ONE_INCIDENT_IN):
            store.start(connection, _incident(number, count // ONE_INCIDENT_IN, now))
        for start in range(0, count, AT_ONCE):
            _write(connection, range(start, min(start + AT_ONCE, count)), count, phrases, now)
    engine.dispose()
    return path


@dataclass(frozen=True, slots=True)
class _Phrase:
    text: str
    translated: str
    words: str


def _phrase(text: str) -> _Phrase:
    translated = OfflineTranslator().translate(text, source="en", target="ko")
    return _Phrase(text, translated, search_terms.words(text, translated))


def _write(connection: Connection, ids: Sequence[int], count: int, phrases: Sequence[_Phrase], now: datetime) -> None:
    rows, words, decisions, counted = [], [], [], []
    for number in ids:
        caption_id, is_danger = number + 1, number % ONE_DANGER_IN == 0
        phrase = phrases[-1 - number // ONE_DANGER_IN % len(DANGERS)] if is_danger else phrases[number % PHRASES]
        site, device = SITES[number % len(SITES)], f"pi-{number // len(SITES) % DEVICES}"
        at = now - SPAN + SPAN * (caption_id / count)
        rows.append(_row(caption_id, site, device, at, phrase.text))
        words.append({"caption_id": caption_id, "translated": phrase.translated, "words": phrase.words})
        counted.append(Counted(caption_id, site, at, is_danger))
        if is_danger:
            incident = 1 + number // ONE_INCIDENT_IN
            own = {"caption_id": caption_id, "rule": ("gun", "fire")[number // ONE_DANGER_IN % 2], "decided_at": at}
            told = {"outcome": "first", "because": "says 'gun'"}
            decisions.append(own | told | {"incident_id": min(incident, count // ONE_INCIDENT_IN)})
    connection.execute(insert(core.caption), rows)
    connection.execute(insert(console.caption_words), words)
    connection.execute(insert(core.decision), decisions)
    rollup.add(connection, counted)


def _row(number: int, site: str, device: str, at: datetime, text: str) -> dict[str, object]:
    source = contract.source(site, device, "cam-0")
    own = {"id": number, "source": source, "event_id": f"event-{number:08}", "site": site, "device": device}
    own |= {"stream": "cam-0", "seq": number, "captured_at": at, "received_at": at, "text": text, "language": "en"}
    return own | {"confidence": 0.8, "labels": [], "hazards": [], "model": "wordcam-1@1.0.0"}


def _incident(number: int, count: int, now: datetime) -> Incident:
    at = now - SPAN + SPAN * ((number + 1) / count)
    is_open = number >= count - OPEN
    state = State.OPEN if is_open else State.RESOLVED
    where = ("pi-1/cam-0",)
    danger = f"gun-{number}" if is_open else "gun"
    caption_id = 1 + number * ONE_INCIDENT_IN
    closed_at = None if is_open else at
    return Incident(0, "north", danger, "gun", "critical", state, at, at, 1, where, caption_id, closed_at=closed_at)


@contextmanager
def _console(path: Path) -> Iterator[httpx.Client]:
    """Serve a database to a browser whose user has logged in."""
    rules = path.with_suffix(".yaml")
    rules.write_text("rules:\n  - name: gun\n    says: [gun]\n", encoding="utf-8")
    sites = tuple(Site(id=site) for site in SITES)
    config = Config(database=Database(path=path), rules_file=rules, web=Web(port=0), sites=sites)
    engine = open_engine(path)
    cookie, token = _enter(engine)
    engine.dispose()
    with _serving(config) as address, httpx.Client(base_url=address, timeout=300) as client:
        client.cookies.set("wordcam", cookie)
        client.headers["authorization"] = f"Bearer {token}"
        yield client


def _measure(page: str, small: httpx.Client, large: httpx.Client, rounds: int) -> Cost:
    path = page.format(day=f"{datetime.now(UTC) - SPAN / 2:%Y-%m-%d}")
    pairs = [(_seconds(small, path), _seconds(large, path)) for _ in range(rounds + 1)][1:]
    return Cost(path, min(few for few, _ in pairs), min(many for _, many in pairs))


def _seconds(client: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    client.get(path).raise_for_status()
    return time.perf_counter() - began


def _enter(engine: Engine) -> tuple[str, str]:
    """Make an administrator, and return the word of a session and that of a token."""
    now = datetime.now(UTC)
    with writing(engine) as connection:
        account = users.add(connection, Account("bench", Role.ADMINISTRATOR, "en", "", now, now))
        session = sessions.start(connection, account, address="127.0.0.1", at=now)
        token = sessions.add_token(connection, account, label="bench", at=now, valid=timedelta(hours=1))
    return session, token


@contextmanager
def _serving(config: Config) -> Iterator[str]:
    ready = threading.Event()
    known: list[object] = []

    def on_ready(stop: object, address: str) -> None:
        known.extend((stop, address))
        ready.set()

    thread = threading.Thread(target=server.run, args=(config,), kwargs={"on_ready": on_ready})
    thread.start()
    ready.wait()
    try:
        yield str(known[1])
    finally:
        known[0]()  # type: ignore[operator]  # the function that stops it
        thread.join()

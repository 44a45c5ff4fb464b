"""A site with a day behind it: what cameras said, two incidents, three accounts; made by the service's own code."""

import math
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, insert

from broker.config import broker as config_file
from broker.config.broker import Config
from broker.config.sites import Places
from broker.incidents import responses
from broker.incidents.presence import devices
from broker.ingest.batch import BatchProcessor
from broker.ingest.decoder import Message
from broker.rules import compiler
from broker.rules.compiler import Rulebook
from broker.store import migrate, statistics
from broker.store.engine import open_database, writing
from broker.store.tables import core
from broker.web import floor_plans
from broker.web.accounts import passwords, users
from broker.web.accounts.account import Account, Role
from broker.web.floor_plans import Place
from contract.caption import Caption
from contract.status import Ledger, Stage, State, Status
from tests.broker.device import event, said
from tests.broker.running_service import write_config
from tests.broker.scene import make_processor

PASSWORD: Final = "correct horse battery"

SITES: Final[list[dict[str, Any]]] = [
    {
        "id": "harbour",
        "name": {"en": "Harbour", "ko": "항만"},
        "devices": [
            {
                "id": f"pi-0{number}",
                "name": {"en": en, "ko": ko},
                "streams": [{"id": "cam-0", "name": {"en": "camera", "ko": "카메라"}}],
            }
            for number, en, ko in (
                (1, "North gate", "북문"),
                (2, "Warehouse", "창고"),
                (3, "Car park", "주차장"),
                (4, "Pier", "부두"),
            )
        ],
    }
]

CALM: Final = (
    "a man in a yellow jacket is walking down the street",
    "two people are standing in front of a building",
    "a red fire hydrant on the sidewalk",
    "a white truck parked in a parking lot",
    "a woman is riding a bicycle",
    "a group of people are walking",
    "a man is sitting on a bench with a dog",
    "a black dog runs across the grass",
)


def config(folder: Path, **changes: Any) -> Path:
    """Write the configuration of a site whose console takes any free port."""
    return write_config(folder, sites=SITES, web={"port": 0}, **changes)


def fill(path: Path, *, now: datetime | None = None, hours: int = 24) -> Config:
    """Make the database of a configuration, with a day of sentences that ends now; incidents are a few minutes old."""
    read = config_file.load(path)
    moment = now or datetime.now(UTC)
    engine = open_database(read.database)
    migrate.migrate(engine)
    _people(engine, moment)
    _captions(engine, read, moment, hours)
    _devices(engine, moment)
    engine.dispose()
    return read


def say(config_: Config, *captions: Caption, at: datetime | None = None) -> None:
    """Let cameras say something, as if it had just come in."""
    engine = open_database(config_.database)
    _processor(engine, config_, at or datetime.now(UTC)).process([said(one) for one in captions])
    engine.dispose()


def accept(config_: Config, *messages: Message) -> None:
    """Let any messages come in."""
    engine = open_database(config_.database)
    _processor(engine, config_, datetime.now(UTC)).process(list(messages))
    engine.dispose()


def caption(text: str, number: int, at: datetime, *, device: str = "pi-01", **changes: Any) -> Caption:
    """Return one caption of the site."""
    return event(text, seq=number, site="harbour", device=device, captured_at=at, time=at, **changes)


def raise_threshold(config_: Config) -> int:
    """Write what a false alarm raises, and give its number."""
    engine = open_database(config_.database)
    now = datetime.now(UTC)
    row = {"site": "harbour", "device": "pi-01", "stream": "cam-0", "danger": "fire", "evidence": 0.7, "incident_id": 1}
    row |= {"raised_at": now, "until": now + timedelta(days=14), "ended_by": "", "sent_at": None}
    with writing(engine) as connection:
        made = connection.execute(insert(core.raised_threshold).returning(core.raised_threshold.c.id), row)
        number = int(made.scalar_one())
    engine.dispose()
    return number


def _people(engine: Engine, now: datetime) -> None:
    hashed = passwords.digest(PASSWORD)
    with writing(engine) as connection:
        for name, role in (("mina", Role.GUARD), ("lee", Role.SUPERVISOR), ("admin", Role.ADMINISTRATOR)):
            users.add(connection, Account(name, role, "en", hashed, now, now))


def _captions(engine: Engine, config_: Config, now: datetime, hours: int) -> None:
    dice = random.Random(7)
    number = 0
    for hour in range(hours, 0, -1):
        events = []
        for _ in range(round(6 + 5 * math.sin(hour / 4))):
            number += 1
            at = now - timedelta(hours=hour) + timedelta(minutes=dice.uniform(0, 55))
            device = f"pi-0{dice.randint(1, 4)}"
            share = round(dice.uniform(0.45, 0.95), 2)
            events.append(caption(dice.choice(CALM), number, at, device=device, confidence=share))
        _take(engine, config_, events, now - timedelta(hours=hour - 1))
    dangers = (
        (timedelta(hours=9), "smoke is coming out of a building", "pi-02", {"smoke": 0.7}),
        (timedelta(hours=4), "two men are fighting on the street", "pi-03", {"fight": 0.8}),
        (timedelta(minutes=21), "a fire burns next to a truck", "pi-02", {"fire": 0.83}),
        (timedelta(minutes=20), "flames are coming out of a building", "pi-04", {"fire": 0.77}),
        (timedelta(minutes=3), "a man is holding a gun", "pi-01", {"gun": 0.91}),
    )
    for ago, text, device, hazards in dangers:
        number += 1
        at = now - ago
        _take(engine, config_, [caption(text, number, at, device=device, hazards=hazards)], at)
    calm = [caption(CALM[n], number + 1 + n, now - timedelta(seconds=100 - 20 * n)) for n in range(5)]
    _take(engine, config_, calm, now)
    with writing(engine) as connection:
        for incident in (1, 2):
            responses.resolve(connection, incident, by="lee", how="console", at=now - timedelta(hours=3))
        responses.acknowledge(connection, 3, by="mina", how="sms", at=now - timedelta(minutes=18))
        responses.note(connection, 3, "Fire brigade called, gate 2 is open for them.", by="mina", at=now)


def _take(engine: Engine, config_: Config, events: list[Caption], at: datetime) -> None:
    if events:
        _processor(engine, config_, at).process([said(one) for one in events])


def _processor(engine: Engine, config_: Config, at: datetime) -> BatchProcessor:
    book = _book(config_.rules_file)
    places = Places.of(config_)
    return make_processor(engine, book, config_.recipients, clock=lambda: at, settings=config_.incidents, places=places)


@cache
def _book(path: Path) -> Rulebook:
    """Compiling the shipped rules takes a second or two."""
    return compiler.load(path)


def _devices(engine: Engine, now: datetime) -> None:
    spots = {"pi-01": (0.2, 0.25), "pi-02": (0.52, 0.4), "pi-03": (0.8, 0.3), "pi-04": (0.62, 0.82)}
    stages = (Stage("encode", 41.2, 55.0), Stage("decode", 6.3, 9.8))
    for number, (device, (x, y)) in enumerate(spots.items(), start=1):
        gone = device == "pi-03"
        ledger = Ledger(
            frames=80_000,
            captions=900,
            sent_bytes=430_000 * number,
            video_bytes=9_100_000_000 * number,
            waiting=gone * 12,
        )
        status = Status(
            state=State.OFFLINE if gone else State.ONLINE,
            site="harbour",
            device=device,
            since=now - timedelta(hours=30),
            at=None if gone else now,
            reason="connection lost" if gone else "",
            version="0.1.0",
            model="wordcam-1@1.0.0",
            ledger=ledger,
            stages=stages,
        )
        heard = now - (timedelta(minutes=47) if gone else timedelta(seconds=9))
        with writing(engine) as connection:
            devices.record(connection, status, heard_at=heard)
            floor_plans.set_place(connection, "harbour", device, Place(x, y))
            for hour in range(24, -1, -1):
                share = (100 - hour) / 100
                then = Ledger(sent_bytes=int(ledger.sent_bytes * share), video_bytes=int(ledger.video_bytes * share))
                statistics.sample(connection, {("harbour", device): then}, at=now - timedelta(hours=hour))

"""The night that is replayed: who is on call, which cameras there are, and what happens when."""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench.fixtures.caption_stream import SENTENCES
from bench.service.night.happenings import (
    Answered,
    Camera,
    Disk,
    Followed,
    Gateway,
    Happening,
    Offline,
    Online,
    Said,
    Script,
    Silent,
    What,
)
from broker.config.broker import Config, Device, Links, Recipient, Site
from broker.config.channels import Twilio
from broker.config.database import Database
from broker.config.incidents import Escalation, Incidents, Inhibition, Step
from broker.config.section import Wording
from broker.incidents.ack_links import Choice
from testing.fake_twilio import ACCOUNT, SENDER

RULES: Final = Path(__file__).resolve().parents[3] / "config" / "rules.yaml"

BEGIN: Final = datetime(2026, 3, 13, 13, 0, tzinfo=UTC)
"""22:00 in Seoul, on a Friday."""

HOURS: Final = 8

NAMES: Final[dict[str, tuple[str, str]]] = {
    "main-gate": ("Main gate", "정문"),
    "lobby": ("Lobby", "로비"),
    "loading-dock": ("Loading dock", "하역장"),
    "warehouse": ("Warehouse 3", "3창고"),
    "car-park": ("Car park", "주차장"),
    "canteen": ("Canteen", "구내식당"),
    "office": ("Office wing", "사무동"),
    "laboratory": ("Laboratory", "실험실"),
    "boiler-room": ("Boiler room", "보일러실"),
    "dormitory": ("Dormitory", "기숙사"),
}
"""Sites in English and Korean."""

SIDES: Final[dict[str, tuple[str, str]]] = {"east": ("East", "동편"), "west": ("West", "서편")}
"""Devices of each site; both have one camera, and its name is cam-0 everywhere."""

CAMERAS: Final[tuple[Camera, ...]] = tuple((site, side) for site in NAMES for side in SIDES)

GUARD, PATROL, REED, CHIEF, MANAGER, OFFICE = "김민수", "박상우", "Reed", "Ortiz", "관제실장", "Office"

PEOPLE: Final = (
    Recipient(name=GUARD, phone="+1 202 555 0143", language="ko"),
    Recipient(name=PATROL, phone="+82 10 1234 5678", language="ko", min_severity="warning"),
    Recipient(name=REED, phone="+1 202 555 0178", language="en"),
    Recipient(name=OFFICE, phone="+1 202 555 0121", language="en", quiet_hours=("22:00-05:30",), quiet_passes=None),
    Recipient(name=CHIEF, phone="+1 202 555 0190", language="en", min_severity="critical"),
    Recipient(name=MANAGER, phone="+1 202 555 0111", language="ko", min_severity="critical"),
)
"""A guard who answers in his own words, one with a Korean telephone, one who writes STOP, an office that sleeps, and
two who are notified when nobody answers."""

CHAIN: Final = Escalation(steps=(Step(after_minutes=5, notify=(CHIEF,)), Step(after_minutes=5, notify=(MANAGER,))))

CALM_MINUTES: Final = 4.0
"""Between two calm captions of one camera, on average."""

STORM: Final = (
    "two men are fighting in a corridor",
    "smoke rises from a machine",
    "a man is lying on the floor",
    "a man fell down the stairs",
)
"""Said by every camera at once when the storm shakes them."""


def config(folder: Path, *, gateway: str) -> Config:
    """Return the configuration, as `broker.yaml` would hold it."""
    sites = tuple(
        Site(id=site, name=Wording(*names), devices=tuple(Device(side, Wording(*SIDES[side])) for side in SIDES))
        for site, names in NAMES.items()
    )
    return Config(
        database=Database(path=folder / "wordcam.db"),
        rules_file=RULES,
        timezone="Asia/Seoul",
        twilio=Twilio(account_sid=ACCOUNT, sender=SENDER, base_url=gateway),
        links=Links(base_url="https://cam.example"),
        incidents=Incidents(escalation=(CHAIN,), inhibit=(Inhibition(during=("fire",), hold_back=("smoke",)),)),
        recipients=PEOPLE,
        sites=sites,
    )


def script(*, seed: int = 7) -> Script:
    """Return the whole night."""
    chance = random.Random(seed)
    happenings = [*_calm(CAMERAS, chance), *_gun(), *_storm(chance), *_outage(), *_full_disk(), *_fire(), *_people()]
    return Script(CAMERAS, timedelta(hours=HOURS), tuple(sorted(happenings, key=lambda one: one.after)))


def _at(clock: str, what: What, *, plus_seconds: float = 0) -> Happening:
    """Return what happens at a time of the night: `22:00` is its beginning."""
    hours, minutes = map(int, clock.split(":"))
    return Happening(timedelta(hours=(hours - 22) % 24, minutes=minutes, seconds=plus_seconds), what)


def _calm(cameras: Iterable[Camera], chance: random.Random) -> Iterator[Happening]:
    """Yield what cameras say of an ordinary night."""
    for camera in cameras:
        minutes = chance.expovariate(1 / CALM_MINUTES)
        while minutes < HOURS * 60:
            yield Happening(timedelta(minutes=minutes), Said(camera, chance.choice(SENTENCES)))
            minutes += chance.expovariate(1 / CALM_MINUTES)


def _gun() -> Iterator[Happening]:
    """Yield the first true incident: seen by two cameras, answered late and in somebody's own words."""
    gate, other = ("main-gate", "west"), ("main-gate", "east")
    belief = {"gun": 0.73}
    yield _at("23:14", Said(gate, "two men in suits standing in a room", belief))
    for minute in range(3):
        yield _at(
            f"23:{15 + minute}", Said(gate, "a man in a black jacket is pointing a gun at a woman", {"gun": 0.91})
        )
    yield _at("23:18", Said(other, "a man is running with a gun in his hand"))
    yield _at("23:26", Answered(GUARD, "네 방금 봤습니다. 지금 출동합니다"))
    yield _at("23:27", Answered(GUARD, "출동합니다"))
    yield _at("23:40", Said(other, "a police officer is talking to a man"))
    yield _at("23:52", Answered(GUARD, "상황 종료 {number}", "main-gate", "gun"))


def _storm(chance: random.Random) -> Iterator[Happening]:
    """Yield what every camera says when a storm shakes it: hundreds of false dangers in two minutes."""
    for camera in CAMERAS:
        for _ in range(15):
            yield _at("00:40", Said(camera, chance.choice(STORM)), plus_seconds=chance.uniform(0, 120))
    yield _at("00:41", Answered(REED, "STOP"))
    yield _at("00:55", Answered(PATROL, "이상 없음"))


def _outage() -> Iterator[Happening]:
    """Yield a camera without network for two hours, which sees a gun and a fire meanwhile."""
    dock = ("loading-dock", "east")
    yield _at("01:20", Offline(dock))
    yield _at("01:45", Said(dock, "a man is holding a gun next to a truck"))
    yield _at("01:46", Said(dock, "a man is pointing a rifle at a worker"))
    yield _at("02:30", Said(dock, "a truck is on fire"))
    yield _at("03:25", Online(dock))
    yield _at("02:10", Silent(("laboratory", "west")))
    yield _at("02:11", Silent(("laboratory", "east")))
    yield _at("04:00", Online(("laboratory", "west")))
    yield _at("04:00", Online(("laboratory", "east")), plus_seconds=30)
    yield _at("02:20", Silent(("dormitory", "east")))


def _full_disk() -> Iterator[Happening]:
    """Yield half an hour in which nothing can be written, and what is seen meanwhile."""
    yield _at("02:40", Disk(full=True))
    yield _at("02:45", Said(("car-park", "west"), "a man is lying motionless on the ground next to a car"))
    yield _at("02:46", Said(("car-park", "west"), "a man is lying motionless on the ground next to a car"))
    yield _at("03:05", Disk(full=False))
    yield _at("03:12", Followed(PATROL, Choice.GOING, "car-park", "fall"))
    yield _at("03:30", Followed(PATROL, Choice.OVER, "car-park", "fall"))


def _fire() -> Iterator[Happening]:
    """Yield the second true incident, while the gateway fails: nobody answers."""
    boiler, other = ("boiler-room", "east"), ("boiler-room", "west")
    yield _at("04:18", Gateway(failing=True))
    yield _at("04:20", Said(boiler, "smoke is coming out of a machine"))
    for minute in range(21, 33, 2):
        yield _at(f"04:{minute}", Said(boiler, "flames and thick smoke rise from a machine in a dark room"))
    yield _at("04:24", Gateway(failing=False))
    yield _at("04:26", Said(other, "a room is on fire"))


def _people() -> Iterator[Happening]:
    """Yield what people write besides."""
    yield _at("01:05", Answered(GUARD, "뭐라고요?"))
    yield _at("05:35", Answered(REED, "START"))
    yield _at("05:40", Answered(CHIEF, "on my way"))
    yield _at("05:41", Answered(CHIEF, "false alarm {number}", "boiler-room", "fire"))

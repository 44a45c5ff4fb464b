"""Captions of many devices, as they come in after an outage or in the course of a day."""

import itertools
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from contract import caption, topics
from contract.caption import Caption, Hazard, Label

SITE_DEVICES: Final = 10
"""Devices at one site."""

WINDOW: Final = 20
"""Captions that a device sends before it waits for an answer (`edge.send.publisher.WINDOW`): they come one after the other."""

ONE_DANGER_IN: Final = 200
"""Far more than any place sees; what is stored of it and told takes its time."""

ONE_DOUBT_IN: Final = 20
"""Captions with a faint suspicion of some danger, which no rule takes up."""

WHO: Final = ("a man", "a woman", "a boy", "a girl", "two people", "a group of people", "a worker", "a man in a hat",
              "a woman with a bag", "a young man", "an old man", "two women", "three men", "a child", "a person",
              "a couple", "a guard", "a visitor", "a crowd of people", "a cyclist")  # fmt: skip
DOES: Final = ("walking", "standing", "sitting", "waiting", "talking on the phone", "pushing a cart", "carrying a box",
               "reading a book", "looking at a screen", "drinking coffee", "opening a door", "walking a dog",
               "riding a bicycle", "leaning on a wall", "taking a picture", "holding an umbrella", "crossing",
               "cleaning the floor", "moving a chair", "eating lunch", "wearing a red jacket", "pulling a suitcase",
               "running", "unloading a truck", "parking a car")  # fmt: skip
WHERE: Final = ("in a corridor", "in front of a building", "on a street", "at a bus stop", "in a parking lot",
                "next to a car", "in a lobby", "near a window", "on a platform", "in an office", "in a store",
                "beside a tree", "at a counter", "in a park", "on a bench", "at the entrance", "in a hall",
                "under a lamp", "near the stairs", "behind a fence")  # fmt: skip
SENTENCES: Final = tuple(f"{who} is {does} {where}" for who, does, where in itertools.product(WHO, DOES, WHERE))
"""Ten thousand, more than are kept in any cache of the service."""

DANGERS: Final = ("a man is holding a gun", "a person is holding a knife", "smoke rises from a car",
                  "a building is on fire", "two men are fighting", "a man is lying on the floor")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """One caption on its way."""

    site: str
    topic: str
    payload: bytes
    event_id: str
    danger: bool


def talking(devices: int, *, seed: int = 7) -> Iterator[Said]:
    """Give captions for ever, a window of each device in turn."""
    chance = random.Random(seed)
    start = datetime.now(UTC)
    for turn in itertools.count():
        for number in range(turn, turn + WINDOW):
            seconds = number // devices
            at = start + timedelta(seconds=seconds, milliseconds=number % 1000)
            danger = chance.randrange(ONE_DANGER_IN) == 0
            yield say(turn % devices, at, chance, danger=danger)


def say(device: int, at: datetime, chance: random.Random, *, danger: bool) -> Said:
    """Give one caption of a device."""
    text = chance.choice(DANGERS if danger else SENTENCES)
    site = f"site-{device // SITE_DEVICES:05d}"
    name = f"pi-{device % SITE_DEVICES:02d}"
    doubt = chance.randrange(ONE_DOUBT_IN) == 0
    event = Caption(
        text=text,
        captured_at=at,
        site=site,
        device=name,
        stream="cam-0",
        confidence=round(chance.uniform(0.5, 0.95), 4),
        labels=(Label("person", chance.randrange(1, 4), round(chance.uniform(0.5, 0.95), 3)),)
        if chance.random() < 0.5
        else (),
        hazards=(Hazard("fire", round(chance.uniform(0.02, 0.2), 3)),) if doubt else (),
        model="wordcam-1@2.0.0",
        seq=0,
        id=uuid.UUID(int=chance.getrandbits(128), version=4).hex,
        source=caption.source(site, name, "cam-0"),
        time=at,
    )
    return Said(site, topics.topic(site, name, "caption"), caption.encode(event), event.id, danger)

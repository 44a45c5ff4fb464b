"""Compares what cameras said, what is in the database, and what the gateway took."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, select

from bench.chaos.publishers import Crowd
from broker.store.engine import reading
from broker.store.tables import core
from testing.fake_twilio import FakeTwilio

WRONG: Final = ("lost", "doubled", "untold", "unsent", "never_taken", "taken_twice", "unknown")
"""Counts that must be nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much was right, and how much was wrong."""

    captions: int
    repeats: int
    """Captions that were published again, for want of an acknowledgement."""
    lost: int
    """Captions that are not in the database."""
    doubled: int
    """Rows beyond the first of one caption."""
    dangers: int
    untold: int
    """Dangers without exactly one first message."""
    intents: int
    """Messages that were to be sent."""
    unsent: int
    """Messages that never came to be sent."""
    never_taken: int
    """Messages that the gateway has not taken, though the database says that they are sent."""
    taken_twice: int
    """Messages that the gateway took once too often."""
    unknown: int
    """Messages that the gateway took, of which the database knows nothing."""
    asked: int
    """How often the gateway was asked whether it knows a message."""

    @property
    def good(self) -> bool:
        """Whether nothing was lost and nothing doubled."""
        return not any(getattr(self, name) for name in WRONG)


def judge(engine: Engine, crowd: Crowd, twilio: FakeTwilio) -> Verdict:
    """Count what is right and what is wrong."""
    with reading(engine) as connection:
        stored = Counter(connection.execute(select(core.caption.c.event_id)).scalars())
        alerts = connection.execute(select(core.alert)).all()
    firsts = Counter(alert.site for alert in alerts if alert.kind == "first")
    sent = Counter((alert.phone, alert.text) for alert in alerts if alert.state == "sent")
    taken = Counter((message.to, message.body) for message in twilio.messages)
    return Verdict(
        captions=len(crowd.said),
        repeats=crowd.repeats,
        lost=len(crowd.said.keys() - stored.keys()),
        doubled=sum(count - 1 for count in stored.values()),
        dangers=len(crowd.dangers),
        untold=sum(firsts[danger.site] != 1 for danger in crowd.dangers),
        intents=len(alerts),
        unsent=sum(alert.state not in ("sent", "digested") for alert in alerts),
        never_taken=(sent - taken).total(),
        taken_twice=sum(max(0, count - sent[key]) for key, count in taken.items() if key in sent),
        unknown=sum(count for key, count in taken.items() if key not in sent),
        asked=twilio.lists,
    )

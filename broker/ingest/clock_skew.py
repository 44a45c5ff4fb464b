"""Corrects the time of captions whose device's clock is ahead."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from broker.ingest.decoder import Rejection
from contract import topics
from contract.caption import Caption

AHEAD: Final = timedelta(minutes=5)
"""Clocks without a network drift by seconds a day; what is further ahead was set wrong."""

FUTURE: Final = "future"
"""By what such captions are counted among the refusals, although they are taken."""


def corrected(event: Caption, *, now: datetime) -> Caption:
    """Return an event that is not of the future: the picture of one that is counts as taken when it arrives.

    It is not refused: the danger in it is there now, whatever the clock says.
    """
    return event if event.captured_at <= now + AHEAD else msgspec.structs.replace(event, captured_at=now)


def rejection(event: Caption, *, now: datetime) -> Rejection | None:
    """Return what is counted of an event from the future; None for any other."""
    if corrected(event, now=now) is event:
        return None
    detail = f"`captured_at` is {event.captured_at - now} ahead of the server's clock; the arrival counts instead"
    return Rejection(FUTURE, detail, topics.topic(event.site, event.device, "caption"), b"", None, event.id)

"""The sentences about lost devices: which, and since when, in the recipient's language."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from broker.config.sites import Places
from broker.notify.message import render, texts
from broker.notify.notifications import Kind, Notification


@dataclass(frozen=True, slots=True)
class LostDevice:
    """A lost device."""

    device: str
    cause: str
    """One of `broker.incidents.presence.detector.Cause`."""
    since: datetime
    """Its last message or, without a camera or frames, its last frame."""


def say(notification: Notification, places: Places, now: datetime) -> tuple[str, ...]:
    """Return the only device that a message is about ("" where it is about several), then sentences, the longest first.

    `now` is by the clock of the site.
    """
    said = texts.of(notification.language).losses
    lost = msgspec.convert(notification.facts["lost"], list[LostDevice])
    count = int(notification.facts.get("lost_count", len(lost)))
    if notification.kind is Kind.RESOLVED:
        away = notification.facts.get("cameras", [])
        return (away[0] if len(away) == 1 else "", said.back)
    causes = {one.cause for one in lost}
    since = min(one.since for one in lost)
    time = render.clock(places.local(since, notification.site), now)
    what = (said.since[causes.pop()] if len(causes) == 1 else said.mixed).format(time=time)
    if count == 1:
        return (lost[0].device, what)
    brief = said.several.format(who=said.count.format(count=count), what=what)
    if count > len(lost):
        return ("", brief)
    names = ", ".join(places.name(notification.site, one.device, language=notification.language) for one in lost)
    return ("", said.several.format(who=names, what=what), brief)

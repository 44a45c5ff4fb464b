"""Decides whether a danger that is seen is told, and when it is looked at again if not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.config.section import at_least
from broker.incidents.incident import Incident, State
from broker.notify.alerts import Notice
from broker.store.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Timing:
    """How long people are left alone after a text message."""

    cooldown: timedelta
    """With what is merely still there."""
    update: timedelta
    """With another camera."""
    acknowledged: timedelta
    """With what is still there although someone takes care of it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, and why; `look_at` is when a message that is put off is due."""

    outcome: Outcome
    because: str
    look_at: datetime | None = None


def decide(incident: Incident, notice: Notice, *, now: datetime, timing: Timing, seen: bool = True) -> Verdict:
    """Choose what to do with an incident; every time counts from the last message *sent*.

    `seen` is whether a camera sees it at this moment: nothing is repeated of what is not there.
    """
    told = incident.told
    if told is None:
        return Verdict(Outcome.FIRST, "nobody was told yet")
    if not at_least(told.severity, incident.severity):
        return Verdict(Outcome.UPDATE, f"it is {incident.severity} now, and was told as {told.severity}")
    if notice.failed_at is not None:
        return _after_failure(notice.failed_at, now=now, patience=timing.cooldown)
    new = [camera for camera in incident.cameras if camera not in told.cameras]
    if new:
        return _add_camera(new[0], notice, now=now, patience=timing.update)
    if notice.waiting or notice.sent_at is None:
        return Verdict(Outcome.WAITING, "the last message is still on its way")
    acknowledged = incident.state is State.ACKNOWLEDGED
    return _repeat(
        notice.sent_at, now=now, patience=timing.acknowledged if acknowledged else timing.cooldown, seen=seen
    )


def _after_failure(failed_at: datetime, *, now: datetime, patience: timedelta) -> Verdict:
    if now - failed_at >= patience:
        return Verdict(Outcome.FIRST, "nobody could be told before")
    return Verdict(Outcome.TOO_SOON, f"nobody could be told {_ago(now - failed_at)}", failed_at + patience)


def _add_camera(camera: str, notice: Notice, *, now: datetime, patience: timedelta) -> Verdict:
    if notice.waiting or notice.sent_at is None:
        because = f"{camera} sees it too; the last message is still on its way"
        return Verdict(Outcome.LATER, because, now + max(patience, timedelta(minutes=1)))
    if now - notice.sent_at >= patience:
        return Verdict(Outcome.UPDATE, f"{camera} sees it too")
    because = f"{camera} sees it too; the last message was sent {_ago(now - notice.sent_at)}"
    return Verdict(Outcome.LATER, because, notice.sent_at + patience)


def _repeat(sent_at: datetime, *, now: datetime, patience: timedelta, seen: bool) -> Verdict:
    ago = _ago(now - sent_at)
    if seen and now - sent_at >= patience:
        return Verdict(Outcome.REPEAT, f"it is still there; the last message was sent {ago}")
    return Verdict(Outcome.TOO_SOON, f"the last message was sent {ago}")


def _ago(age: timedelta) -> str:
    seconds = max(0, round(age.total_seconds()))
    return f"{seconds} s ago" if seconds < 120 else f"{seconds // 60} min ago"

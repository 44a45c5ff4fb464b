"""Decides whether people are notified of a danger that is seen, and when to decide again if not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.config.section import at_least
from broker.incidents.incident import Incident, State
from broker.notify.notifications import SendStatus
from broker.notify.reasons import (
    AnotherCamera,
    FailedRecently,
    MoreSevere,
    NamedNow,
    NoneDelivered,
    NotNotifiedYet,
    Pending,
    SeenNow,
    SentRecently,
    StillVisible,
)
from broker.rules.reasons import Reasons
from broker.store.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Timing:
    """How long nobody is notified again after a notification."""

    cooldown: timedelta
    """Of what is merely still there."""
    update: timedelta
    """That another camera sees it."""
    acknowledged: timedelta
    """Of what is still there although someone takes care of it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, and why; `look_at` is when a notification that is put off is due."""

    outcome: Outcome
    reasons: Reasons = ()
    look_at: datetime | None = None


def decide(  # noqa: PLR0911, PLR0913 - one return a verdict, and what is known of the sighting, by name
    incident: Incident,
    status: SendStatus,
    *,
    now: datetime,
    timing: Timing,
    seen: bool = True,
    named: bool = False,
) -> Verdict:
    """Choose what to do with an incident; every time counts from the last notification *sent*.

    `seen` is whether a camera sees it at this moment: nothing is repeated of what is not there, and what people were
    notified of late is new. `named` is whether a sentence names the danger, which before may only have been suspected.
    """
    notified = incident.notified
    if notified is None or (notified.late_seconds and seen):
        return Verdict(Outcome.FIRST, (NotNotifiedYet() if notified is None else SeenNow(),))
    if not at_least(notified.severity, incident.severity):
        return Verdict(Outcome.UPDATE, (MoreSevere(incident.severity, notified.severity),))
    if named and notified.suspected and incident.severity == "critical" and incident.state is State.OPEN:
        return Verdict(Outcome.UPDATE, (NamedNow(),))
    if status.failed_at is not None:
        return _after_failure(status.failed_at, now=now, patience=timing.cooldown)
    new = [camera for camera in incident.cameras if camera not in notified.cameras]
    if new:
        return _add_camera(new[0], status, now=now, patience=timing.update)
    if status.waiting or status.sent_at is None:
        return Verdict(Outcome.WAITING, (Pending(),))
    acknowledged = incident.state is State.ACKNOWLEDGED
    return _repeat(
        status.sent_at, now=now, patience=timing.acknowledged if acknowledged else timing.cooldown, seen=seen
    )


def _after_failure(failed_at: datetime, *, now: datetime, patience: timedelta) -> Verdict:
    if now - failed_at >= patience:
        return Verdict(Outcome.FIRST, (NoneDelivered(),))
    return Verdict(Outcome.TOO_SOON, (FailedRecently(_seconds(now - failed_at)),), failed_at + patience)


def _add_camera(camera: str, status: SendStatus, *, now: datetime, patience: timedelta) -> Verdict:
    if status.waiting or status.sent_at is None:
        return Verdict(Outcome.LATER, (AnotherCamera(camera), Pending()), now + max(patience, timedelta(minutes=1)))
    if now - status.sent_at >= patience:
        return Verdict(Outcome.UPDATE, (AnotherCamera(camera),))
    sent = SentRecently(_seconds(now - status.sent_at))
    return Verdict(Outcome.LATER, (AnotherCamera(camera), sent), status.sent_at + patience)


def _repeat(sent_at: datetime, *, now: datetime, patience: timedelta, seen: bool) -> Verdict:
    sent = SentRecently(_seconds(now - sent_at))
    if seen and now - sent_at >= patience:
        return Verdict(Outcome.REPEAT, (StillVisible(), sent))
    return Verdict(Outcome.TOO_SOON, (sent,))


def _seconds(age: timedelta) -> int:
    return max(0, round(age.total_seconds()))

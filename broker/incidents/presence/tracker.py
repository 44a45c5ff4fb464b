"""Tracks the presence of devices, and keeps one incident per site for those that are lost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine

from broker.config.incidents import PresenceSettings
from broker.incidents import silence, store
from broker.incidents.grouping import Grouper, Queued, Sighting
from broker.incidents.incident import Event, EventKind, Incident, State
from broker.incidents.presence import builtin_rules, detector, devices
from broker.incidents.presence.detector import DANGER, Cause, Outage
from broker.notify.message.outage import LostDevice
from broker.notify.reasons import DeviceMissing, DevicesWellFor, SeenBy, SeenByMany
from broker.store.engine import reading, writing

CHECK_EVERY: Final = timedelta(seconds=5)
"""Between two checks: a device is missing for a minute at least, and a check reads suspicious devices alone."""

NAMED: Final = 8
"""Devices that one entry of a timeline names."""


@dataclass(frozen=True, slots=True)
class _Site:
    """What a check has found at one site."""

    name: str
    incident: Incident | None
    outages: Mapping[str, Outage]
    """By device, without silenced and excluded ones."""

    def lost(self, now: datetime) -> dict[str, Outage]:
        """Return the outages that count by now."""
        return {device: outage for device, outage in self.outages.items() if outage.lost_at <= now}


@dataclass
class PresenceTracker:
    """Checks all devices every few seconds."""

    grouper: Grouper
    settings: PresenceSettings
    listening_since: Callable[[], datetime | None]
    """Since when the messages of every device arrive without a break; None while they do not."""
    _next_at: datetime | None = field(default=None, init=False)

    def check(self, engine: Engine, *, now: datetime, require: Callable[[Connection], None]) -> list[Queued]:
        """Check all devices, if it is time, and return the notifications that were queued; raises `Locked`.

        `require` raises in the transaction where another instance has taken over.
        """
        if self._next_at is not None and now < self._next_at:
            return []
        self._next_at = now + CHECK_EVERY
        since = self.listening_since()
        if since is None or now - since < timedelta(seconds=self.settings.grace_seconds):
            return []
        with reading(engine) as connection:
            if not self._sites(connection, since, now):
                return []
        with writing(engine) as connection:
            require(connection)
            made = [self._update(connection, site, now) for site in self._sites(connection, since, now)]
        return [one for one in made if one is not None]

    def _sites(self, connection: Connection, since: datetime, now: datetime) -> list[_Site]:
        """Return the sites where a device is lost, or was; `since` is when this service began to listen."""
        outages = self._lapses(connection, since, now)
        open_ = {one.site: one for one in store.now_open(connection) if one.danger == DANGER}
        sites: list[_Site] = []
        for name in sorted({*outages, *open_}):
            incident = open_.get(name)
            missed = self._relevant(connection, name, outages.get(name, {}), incident, now)
            if missed or incident is not None:
                sites.append(_Site(name, incident, missed))
        return sites

    def _lapses(self, connection: Connection, since: datetime, now: datetime) -> dict[str, dict[str, Outage]]:
        """Find what is wrong with which device, by site."""
        quiet = timedelta(seconds=self.settings.quiet_seconds)
        seen_before = now - timedelta(seconds=self.settings.blind_seconds)
        found: dict[str, dict[str, Outage]] = {}
        heard: dict[str, dict[str, datetime]] = {}
        for known in devices.doubtful(connection, heard_before=now - quiet / 2, seen_before=seen_before):
            if f"{known.site}/{known.device}" in self.settings.leave_out:
                continue
            if known.site not in heard:
                heard[known.site] = devices.heard(connection, known.site, since=now - quiet)
            heard_at = max(known.heard_at, heard[known.site].get(known.device, known.heard_at))
            outage = detector.judge(replace(known, heard_at=heard_at), now=now, settings=self.settings)
            if outage is not None and outage.cause is Cause.QUIET:
                # Silence while nobody listened does not count.
                outage = replace(outage, lost_at=max(outage.lost_at, since + quiet))
            if outage is not None:
                found.setdefault(known.site, {})[known.device] = outage
        return found

    def _relevant(
        self, connection: Connection, site: str, outages: Mapping[str, Outage], incident: Incident | None, now: datetime
    ) -> dict[str, Outage]:
        """Leave out silenced devices, and those whose incident someone has closed since their last message."""
        members = incident.cameras if incident else ()
        missed = {device: outage for device, outage in outages.items() if device in members}
        others = {device: outage for device, outage in outages.items() if device not in members}
        if not others:
            return missed
        first = min(outage.since for outage in others.values())
        closed = store.closed_by_someone(connection, site, DANGER, since=first)
        holding = silence.in_force(connection, at=now)
        for device, outage in others.items():
            known = any(device in one.cameras and one.closed_at and one.closed_at >= outage.since for one in closed)
            subject = self._sighting(site, device, outage, now).subject
            if not known and silence.find(holding, subject, at=now) is None:
                missed[device] = outage
        return missed

    def _update(self, connection: Connection, site: _Site, now: datetime) -> Queued | None:
        lost = site.lost(now)
        incident = site.incident
        if incident is None:
            if not lost or self._gathers(site, lost, now):
                return None
            first = self._sighting(site.name, *next(iter(lost.items())), now)
            if self.grouper.inhibitor(connection, first) is not None:
                return None
            incident = self.grouper.open(connection, first)
        # A device that is suspicious again has not recovered.
        away = {
            device: outage for device, outage in site.outages.items() if device in lost or device in incident.cameras
        }
        if not away:
            self._end(connection, incident, now)
            return None
        incident = self._count(connection, incident, away, now)
        sightings = [self._sighting(site.name, device, outage, now) for device, outage in lost.items()]
        return self._notify(connection, incident, sightings, now) if sightings else None

    def _gathers(self, site: _Site, lost: Mapping[str, Outage], now: datetime) -> bool:
        """Return whether to wait for further devices that are about to be lost, so that one notification covers all."""
        if len(lost) == len(site.outages):
            return False
        return now < min(outage.lost_at for outage in lost.values()) + timedelta(seconds=self.settings.gather_seconds)

    def _count(self, connection: Connection, incident: Incident, away: Mapping[str, Outage], now: datetime) -> Incident:
        """Record who is away now."""
        new = [device for device in away if device not in incident.cameras]
        if new:
            store.add_event(connection, incident.id, Event(now, EventKind.CAMERA, (_listed(new),)))
        counted = replace(
            incident,
            rule=builtin_rules.of(self.settings, {outage.cause for outage in away.values()}).name,
            seen_at=now,
            sightings=len(incident.cameras) + len(new),
            cameras=(*incident.cameras, *new),
            lost=tuple(LostDevice(device, outage.cause.value, outage.since) for device, outage in away.items()),
        )
        store.save(connection, counted)
        return counted

    def _notify(
        self, connection: Connection, incident: Incident, sightings: Sequence[Sighting], now: datetime
    ) -> Queued | None:
        """Notify people, if there is news; of several devices, one that is not silenced leads."""
        holding = silence.in_force(connection, at=now)
        heard = (one for one in sightings if silence.find(holding, one.subject, at=now) is None)
        leading = next(heard, sightings[0])
        verdict = self.grouper.choose(connection, leading, incident)
        return self.grouper.notify(connection, leading, verdict, incident) if verdict.outcome.notifies else None

    def _end(self, connection: Connection, incident: Incident, now: datetime) -> None:
        """Close an incident whose devices have all reported for long enough; the scheduler notifies people of it."""
        well = now - incident.seen_at
        if well < timedelta(seconds=self.settings.steady_seconds):
            return
        detail = DevicesWellFor(round(well.total_seconds()))
        store.add_event(connection, incident.id, Event(now, EventKind.RESOLVED, (detail,)))
        store.save(connection, replace(incident, state=State.RESOLVED, closed_at=now, due_at=now))

    def _sighting(self, site: str, device: str, outage: Outage, now: datetime) -> Sighting:
        rule = builtin_rules.of(self.settings, {outage.cause})
        since = self.grouper.places.local(outage.since, site)
        reason = DeviceMissing(outage.cause.value, f"{since:%Y-%m-%d %H:%M:%S}", outage.reason)
        return Sighting(site, device, "", rule, (reason,), now)


def _listed(names: Sequence[str]) -> SeenBy | SeenByMany:
    some = ", ".join(names[:NAMED])
    return SeenByMany(some, len(names) - NAMED) if len(names) > NAMED else SeenBy(some)

"""Calls the devices one by one, and makes an incident of those that do not answer: one for a whole site."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine

from broker.config.incidents import Absence
from broker.incidents import silence, store
from broker.incidents.grouping import Desk, Made, Sighting
from broker.incidents.incident import Event, Happening, Incident, State
from broker.incidents.presence import builtin_rules, detector, devices
from broker.incidents.presence.detector import DANGER, Cause, Lapse
from broker.notify.message.outage import Lost
from broker.notify.reasons import DeviceMissing, DevicesWellFor, SeenBy, SeenByMany
from broker.store.engine import reading, writing

LOOK_EVERY: Final = timedelta(seconds=5)
"""Between two calls: what is missed is missed for a minute at least, and a call reads the doubtful devices alone."""

NAMED: Final = 8
"""Devices that one entry of a timeline names."""


@dataclass(frozen=True, slots=True)
class _Site:
    """What a call has found at one site."""

    name: str
    incident: Incident | None
    lapses: Mapping[str, Lapse]
    """By device; none of a device that nobody is to miss."""

    def lost(self, now: datetime) -> dict[str, Lapse]:
        """Give those whom nobody waits for any more."""
        return {device: lapse for device, lapse in self.lapses.items() if lapse.lost_at <= now}


@dataclass
class RollCall:
    """One caller. `listening_since` says since when devices could be heard without a break; None while they cannot."""

    desk: Desk
    settings: Absence
    listening_since: Callable[[], datetime | None]
    _next_at: datetime | None = field(default=None, init=False)

    def call(
        self, engine: Engine, *, now: datetime, require: Callable[[Connection], None] = lambda _: None
    ) -> list[Made]:
        """Call everyone, if it is time, and give what people are told of; raises `Locked`.

        `require` raises in the transaction where another instance has taken over.
        """
        if self._next_at is not None and now < self._next_at:
            return []
        self._next_at = now + LOOK_EVERY
        since = self.listening_since()
        if since is None or now - since < timedelta(seconds=self.settings.grace_seconds):
            return []
        with reading(engine) as connection:
            if not self._sites(connection, since, now):
                return []
        with writing(engine) as connection:
            require(connection)
            made = [self._visit(connection, site, now) for site in self._sites(connection, since, now)]
        return [one for one in made if one is not None]

    def _sites(self, connection: Connection, since: datetime, now: datetime) -> list[_Site]:
        """Give the sites where a device is missed, or was; `since` is when this service began to listen."""
        lapses = self._lapses(connection, since, now)
        open_ = {one.site: one for one in store.now_open(connection) if one.danger == DANGER}
        sites: list[_Site] = []
        for name in sorted({*lapses, *open_}):
            incident = open_.get(name)
            missed = self._missed(connection, name, lapses.get(name, {}), incident, now)
            if missed or incident is not None:
                sites.append(_Site(name, incident, missed))
        return sites

    def _lapses(self, connection: Connection, since: datetime, now: datetime) -> dict[str, dict[str, Lapse]]:
        """Find what is wrong with which device, by site."""
        quiet = timedelta(seconds=self.settings.quiet_seconds)
        seen_before = now - timedelta(seconds=self.settings.blind_seconds)
        found: dict[str, dict[str, Lapse]] = {}
        heard: dict[str, dict[str, datetime]] = {}
        for known in devices.doubtful(connection, heard_before=now - quiet / 2, seen_before=seen_before):
            if f"{known.site}/{known.device}" in self.settings.leave_out:
                continue
            if known.site not in heard:
                heard[known.site] = devices.heard(connection, known.site, since=now - quiet)
            heard_at = max(known.heard_at, heard[known.site].get(known.device, known.heard_at))
            lapse = detector.judge(replace(known, heard_at=heard_at), now=now, settings=self.settings)
            if lapse is not None and lapse.cause is Cause.QUIET:
                # What it said while nobody listened does not count against it.
                lapse = replace(lapse, lost_at=max(lapse.lost_at, since + quiet))
            if lapse is not None:
                found.setdefault(known.site, {})[known.device] = lapse
        return found

    def _missed(
        self, connection: Connection, site: str, lapses: Mapping[str, Lapse], incident: Incident | None, now: datetime
    ) -> dict[str, Lapse]:
        """Leave out what is silenced, and what someone has closed since it was heard: they know."""
        members = incident.cameras if incident else ()
        missed = {device: lapse for device, lapse in lapses.items() if device in members}
        others = {device: lapse for device, lapse in lapses.items() if device not in members}
        if not others:
            return missed
        first = min(lapse.since for lapse in others.values())
        closed = store.closed_by_someone(connection, site, DANGER, since=first)
        holding = silence.in_force(connection, at=now)
        for device, lapse in others.items():
            known = any(device in one.cameras and one.closed_at and one.closed_at >= lapse.since for one in closed)
            subject = self._sighting(site, device, lapse, now).subject
            if not known and silence.find(holding, subject, at=now) is None:
                missed[device] = lapse
        return missed

    def _visit(self, connection: Connection, site: _Site, now: datetime) -> Made | None:
        lost = site.lost(now)
        incident = site.incident
        if incident is None:
            if not lost or self._gathers(site, lost, now):
                return None
            first = self._sighting(site.name, *next(iter(lost.items())), now)
            if self.desk.behind(connection, first) is not None:
                return None
            incident = self.desk.open(connection, first)
        # Whoever wavers again has not come back for good.
        away = {device: lapse for device, lapse in site.lapses.items() if device in lost or device in incident.cameras}
        if not away:
            self._end(connection, incident, now)
            return None
        incident = self._count(connection, incident, away, now)
        sightings = [self._sighting(site.name, device, lapse, now) for device, lapse in lost.items()]
        return self._tell(connection, incident, sightings, now) if sightings else None

    def _gathers(self, site: _Site, lost: Mapping[str, Lapse], now: datetime) -> bool:
        """Say whether to wait for others that seem to go the same way, so that one message tells of all."""
        if len(lost) == len(site.lapses):
            return False
        return now < min(lapse.lost_at for lapse in lost.values()) + timedelta(seconds=self.settings.gather_seconds)

    def _count(self, connection: Connection, incident: Incident, away: Mapping[str, Lapse], now: datetime) -> Incident:
        """Write down who is away now."""
        new = [device for device in away if device not in incident.cameras]
        if new:
            store.add_event(connection, incident.id, Event(now, Happening.CAMERA, (_listed(new),)))
        blind = all(lapse.cause.is_blind for lapse in away.values())
        counted = replace(
            incident,
            rule=builtin_rules.of(self.settings, blind=blind).name,
            seen_at=now,
            sightings=len(incident.cameras) + len(new),
            cameras=(*incident.cameras, *new),
            lost=tuple(Lost(device, lapse.cause.value, lapse.since) for device, lapse in away.items()),
        )
        store.save(connection, counted)
        return counted

    def _tell(
        self, connection: Connection, incident: Incident, sightings: Sequence[Sighting], now: datetime
    ) -> Made | None:
        """Tell people, if there is news; of several devices, one that is not silenced speaks for all."""
        holding = silence.in_force(connection, at=now)
        heard = (one for one in sightings if silence.find(holding, one.subject, at=now) is None)
        leading = next(heard, sightings[0])
        verdict = self.desk.choose(connection, leading, incident)
        return self.desk.tell(connection, leading, verdict, incident) if verdict.outcome.tells else None

    def _end(self, connection: Connection, incident: Incident, now: datetime) -> None:
        """Close an incident whose devices have all been well for long enough; the rounds tell people of it."""
        well = now - incident.seen_at
        if well < timedelta(seconds=self.settings.steady_seconds):
            return
        detail = DevicesWellFor(round(well.total_seconds()))
        store.add_event(connection, incident.id, Event(now, Happening.RESOLVED, (detail,)))
        store.save(connection, replace(incident, state=State.RESOLVED, closed_at=now, due_at=now))

    def _sighting(self, site: str, device: str, lapse: Lapse, now: datetime) -> Sighting:
        rule = builtin_rules.of(self.settings, blind=lapse.cause.is_blind)
        since = self.desk.places.local(lapse.since, site)
        reason = DeviceMissing(lapse.cause.value, f"{since:%Y-%m-%d %H:%M:%S}", lapse.reason)
        return Sighting(site, device, "", rule, (reason,), now)


def _listed(names: Sequence[str]) -> SeenBy | SeenByMany:
    some = ", ".join(names[:NAMED])
    return SeenByMany(some, len(names) - NAMED) if len(names) > NAMED else SeenBy(some)

"""Journal: the visits at one camera, what a caption says of each, and what is worth one."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from contract.caption import MAX_VISITS, MAX_ZONES, InZone, Phase, Visit
from edge import config, polygon
from edge.infer.detection import Detection
from edge.look.crops import PERSON
from edge.look.visits.tracker import Track, Tracker

STILL_SECONDS: Final = 5.0
"""Time between two looks at people who do not move."""

ZONE_LOOKS: Final = 2
"""Looks in a row in or out of a zone after which that counts: a box's lower edge jumps."""

MAX_GONE: Final = 8
"""Visits that ended since the last caption, of which it says so; with more, the earliest go unsaid."""

Polygon = Sequence[tuple[float, float]]


class News(StrEnum):
    """How soon a caption is worth it."""

    NOW = "now"
    """Somebody came into an empty view, left an empty one behind, or entered a zone."""
    SOON = "soon"
    """Somebody else came, left or has stayed a while."""
    NONE = "none"
    """Nothing."""


@dataclass(slots=True)
class _Zone:
    """One person and one zone."""

    since: float | None = None
    """Since when they are in it; None while they are not."""
    odd_looks: int = 0
    """Looks in a row that say otherwise."""
    odd_at: float = 0.0
    """When the first of them was."""
    told_steps: int = -1
    """Steps of staying that captions have said; -1 while none said that they are in it."""


@dataclass(slots=True)
class _Visit:
    """One person and what captions have said of them."""

    id: str
    track: Track
    zones: dict[str, _Zone]
    is_told: bool = False
    told_steps: int = 0
    is_over: bool = False


@dataclass(slots=True)
class Journal:
    """All visits of one camera that are going on. Times are seconds on the camera's clock."""

    settings: config.Visits
    zones: Mapping[str, Polygon]
    new_id: Callable[[], str]
    _tracker: Tracker = field(default_factory=Tracker)
    _visits: dict[int, _Visit] = field(default_factory=dict)
    _gone: list[_Visit] = field(default_factory=list)

    def look(self, detections: Sequence[Detection], at: float) -> None:
        """Follow everybody into the boxes of a look."""
        came, went = self._tracker.look([box for box in detections if box.name == PERSON], at)
        for track in came:
            zones = {name: _Zone() for name in self.zones}
            self._visits[track.number] = _Visit(self.new_id(), track, zones)
        for track in went:
            visit = self._visits.pop(track.number)
            visit.is_over = True
            # Of a visit that no caption told of, none says that it ended.
            self._gone = [*self._gone, visit][-MAX_GONE:] if visit.is_told else self._gone
        for visit in self._visits.values():
            if visit.track.seen_at == at:
                self._place(visit, at)

    @property
    def people(self) -> int:
        """People in view."""
        return len(self._visits)

    def news(self, at: float) -> News:
        """Say how soon a caption is worth it."""
        new = any(not visit.is_told for visit in self._visits.values())
        if new and not any(visit.is_told for visit in self._visits.values()):
            return News.NOW
        if self._gone and not self._visits:
            return News.NOW
        if any(_entered(visit) for visit in self._visits.values()):
            return News.NOW
        stayed = any(self._has_stayed(visit, at) for visit in self._visits.values())
        return News.SOON if new or self._gone or stayed else News.NONE

    def look_again_seconds(self, *, moving: bool) -> float | None:
        """Return after how long another look is worth it; None where nobody is in view or about to be."""
        if self._tracker.is_unsettled:
            return self.settings.look_gap_seconds
        if not self._visits:
            return None
        return self.settings.look_gap_seconds if moving else STILL_SECONDS

    def describe(self, at: float) -> tuple[Visit, ...]:
        """Write what a caption says of every visit: those with news first, then the longest; at most `MAX_VISITS`."""
        with_news = [visit for visit in self._visits.values() if not visit.is_told or _entered(visit)]
        others = sorted((v for v in self._visits.values() if v not in with_news), key=lambda v: v.track.began_at)
        others.sort(key=lambda visit: not self._has_stayed(visit, at))
        chosen = [*with_news, *self._gone, *others][:MAX_VISITS]
        return tuple(self._write(visit, at) for visit in chosen)

    def tell(self, said: Sequence[Visit], at: float) -> None:
        """Note what a caption said, once it is stored."""
        told = {visit.id for visit in said}
        self._gone = [visit for visit in self._gone if visit.id not in told]
        for visit in self._visits.values():
            if visit.id in told:
                visit.is_told = True
                visit.told_steps = self._steps(at - visit.track.began_at)
                for zone in visit.zones.values():
                    zone.told_steps = -1 if zone.since is None else self._steps(at - zone.since)

    def _place(self, visit: _Visit, at: float) -> None:
        """Note in which zones somebody is, once two looks in a row say so."""
        for name, area in self.zones.items():
            zone, inside = visit.zones[name], polygon.contains(area, visit.track.foot())
            if inside == (zone.since is not None):
                zone.odd_looks = 0
                continue
            zone.odd_looks += 1
            zone.odd_at = at if zone.odd_looks == 1 else zone.odd_at
            if zone.odd_looks >= ZONE_LOOKS:
                zone.since, zone.odd_looks = (zone.odd_at if inside else None), 0
                zone.told_steps = -1

    def _write(self, visit: _Visit, at: float) -> Visit:
        phase = Phase.LEAVES if visit.is_over else Phase.STAYS if visit.is_told else Phase.ARRIVES
        seconds = (visit.track.seen_at if visit.is_over else at) - visit.track.began_at
        inside = [(name, zone) for name, zone in visit.zones.items() if zone.since is not None and not visit.is_over]
        inside.sort(key=lambda pair: pair[1].told_steps >= 0)
        zones = tuple(
            InZone(name, max(0, round(at - zone.since)), zone.told_steps < 0)
            for name, zone in inside[:MAX_ZONES]
            if zone.since is not None
        )
        return Visit(visit.id, phase, max(0, round(seconds)), zones)

    def _has_stayed(self, visit: _Visit, at: float) -> bool:
        """Return whether a visit, or a time in a zone, has come to a step that no caption has said."""
        if self._steps(at - visit.track.began_at) > visit.told_steps:
            return True
        zones = (zone for zone in visit.zones.values() if zone.since is not None)
        return any(self._steps(at - (zone.since or at)) > zone.told_steps for zone in zones)

    def _steps(self, seconds: float) -> int:
        """Count the steps of staying up to a time."""
        steps = sorted(self.settings.stay_seconds)
        if not steps or seconds < steps[-1]:
            return bisect_right(steps, seconds)
        return len(steps) - 1 + int(seconds // steps[-1])


def _entered(visit: _Visit) -> bool:
    return any(zone.since is not None and zone.told_steps < 0 for zone in visit.zones.values())

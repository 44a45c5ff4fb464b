"""One device: its health, its model and the last update of it, and what it last saw, as words and boxes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from broker.incidents.presence import devices
from broker.incidents.presence.devices import Device
from broker.ingest.enrolment import authority
from broker.ingest.rollout import stages
from broker.store import captions, search
from broker.store.captions import Seen
from broker.store.engine import reading
from broker.store.search import LastHour
from broker.web.accounts.account import Role
from broker.web.pages.devices import patience
from broker.web.request.context import Page, ThisPage, needs
from contract.caption import Box
from contract.status import CameraState, Condition
from contract.system import SystemProgress
from contract.update import Progress

FRAME: Final = (160, 90)
"""Width and height of the drawing; boxes are shares of it."""

BAD: Final = frozenset({Progress.REFUSED, Progress.ROLLED_BACK})

SYSTEM_BAD: Final = frozenset({SystemProgress.REFUSED, SystemProgress.ROLLED_BACK})


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A box of the drawing, in its units, with what was found there."""

    name: str
    is_danger: bool
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Camera:
    """One of several cameras of a device."""

    state: CameraState
    conditions: tuple[Condition, ...]
    """What is wrong with its picture, the worst first."""
    said: LastHour

    @property
    def is_well(self) -> bool:
        """Whether it shows its place."""
        return not self.state.reason and not self.conditions


@get("/devices/{site:str}/{device:str}", sync_to_thread=True, guards=[needs(Role.GUARD)])
def show(page: ThisPage, site: FromPath[str], device: FromPath[str], revoked: FromQuery[str] = "") -> Response[str]:
    """Show one device."""
    with reading(page.console.engine) as connection:
        found = next((one for one in devices.everyone(connection) if (one.site, one.device) == (site, device)), None)
        seen = captions.last_seen(connection, site, device)
        rollouts = stages.newest(connection)
        last_hour = {} if found is None else search.last_hour(connection, site, device, streams(found), page.now)
    if found is None:
        raise NotFoundException
    own = found.update_report.target if found.update_report is not None else None
    return page.render(
        "device.html",
        one=found,
        health=devices.health(found, page.now, patience(page.console)),
        seen=seen,
        cameras=list(cameras(found, last_hour)),
        frame=FRAME,
        rectangles=list(rectangles(seen)) if seen is not None else [],
        rollout=next((rollout for rollout in rollouts if rollout.target == own), None),
        is_bad=found.update_report is not None and found.update_report.progress in BAD,
        is_system_bad=found.system is not None and found.system.progress in SYSTEM_BAD,
        has_certificate=_has_certificate(page, site, device),
        is_revoked=revoked == "yes",
    )


def streams(found: Device) -> list[str]:
    """Return the names of a device's cameras, where it has several."""
    return [camera.stream for camera in found.cameras or ()]


def cameras(found: Device, said: Mapping[str, LastHour]) -> Iterator[Camera]:
    """Yield each camera of a device that has several, with its own conditions and captions."""
    for state in found.cameras or ():
        own = tuple(known.condition for known in found.conditions or () if known.stream == state.stream)
        yield Camera(state, own, said[state.stream])


def rectangles(seen: Seen) -> Iterator[Rectangle]:
    """Yield what was found where: things first, so that dangers are drawn over them."""
    for label in seen.labels:
        for box in label.boxes or ():
            yield _rectangle(label.name, box, is_danger=False)
    for hazard in seen.hazards:
        if hazard.box is not None:
            yield _rectangle(hazard.term, hazard.box, is_danger=True)


def _rectangle(name: str, box: Box, *, is_danger: bool) -> Rectangle:
    width, height = FRAME
    return Rectangle(name, is_danger, box.left * width, box.top * height, box.width * width, box.height * height)


def _has_certificate(page: Page, site: str, device: str) -> bool:
    settings = page.console.config.enrolment
    if settings is None or not page.may(Role.ADMINISTRATOR):
        return False
    return bool(authority.load(settings.folder).issued_to(f"{site}/{device}"))

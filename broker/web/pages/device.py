"""One device: its health, its model and the last update of it, and what it last saw, as words and boxes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from broker.incidents.presence import devices
from broker.ingest.enrolment import authority
from broker.ingest.rollout import stages
from broker.store import captions
from broker.store.captions import Seen
from broker.store.engine import reading
from broker.web.accounts.account import Role
from broker.web.pages.devices import health, patience
from broker.web.request.context import Page, ThisPage, needs
from contract.caption import Box
from contract.update import Progress

FRAME: Final = (160, 90)
"""Width and height of the drawing; boxes are shares of it."""

BAD: Final = frozenset({Progress.REFUSED, Progress.ROLLED_BACK})


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A box of the drawing, in its units, with what was found there."""

    name: str
    is_danger: bool
    left: float
    top: float
    width: float
    height: float


@get("/devices/{site:str}/{device:str}", sync_to_thread=True, guards=[needs(Role.GUARD)])
def show(page: ThisPage, site: FromPath[str], device: FromPath[str], revoked: FromQuery[str] = "") -> Response[str]:
    """Show one device."""
    with reading(page.console.engine) as connection:
        found = next((one for one in devices.everyone(connection) if (one.site, one.device) == (site, device)), None)
        seen = captions.last_seen(connection, site, device)
        rollouts = stages.newest(connection)
    if found is None:
        raise NotFoundException
    own = found.update_report.target if found.update_report is not None else None
    return page.render(
        "device.html",
        one=found,
        health=health(found, page.now, patience(page.console)),
        seen=seen,
        frame=FRAME,
        rectangles=list(rectangles(seen)) if seen is not None else [],
        rollout=next((rollout for rollout in rollouts if rollout.target == own), None),
        is_bad=found.update_report is not None and found.update_report.progress in BAD,
        has_certificate=_has_certificate(page, site, device),
        is_revoked=revoked == "yes",
    )


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

"""Devices: health, software, last caption and place on the floor plan of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import imagesize
import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, MultipartBody, URLEncodedBody

from broker.config.sites import Places
from broker.incidents.presence import devices
from broker.incidents.presence.devices import SILENT, Device, health
from broker.ingest.rollout import stages
from broker.store import search
from broker.store.engine import reading, writing
from broker.store.search import Found
from broker.web import floor_plans
from broker.web.accounts.account import Role
from broker.web.floor_plans import Place, Plan
from broker.web.request.context import Page, ThisPage, needs
from broker.web.request.state import Console

KINDS: Final = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""First bytes of accepted floor plans. SVG is not accepted: it can hold a script."""

GRID: Final = (1200, 700)
"""Size of the empty plan of a site without a drawing, in its own units."""

SHOWN_ROLLOUTS: Final = 3
"""Models that were offered last."""

MAX_SIDE: Final = 12_000
"""Pixels: more would exhaust a browser's memory, whatever the file's size."""


class Spot(msgspec.Struct):
    """Where the form puts a device, in hundredths; without both, it is taken off the plan."""

    device: Annotated[str, msgspec.Meta(max_length=63)] = ""
    x: Annotated[str, msgspec.Meta(max_length=16)] = ""
    y: Annotated[str, msgspec.Meta(max_length=16)] = ""
    csrf: str = ""


@dataclass
class Drawing:
    """What the form for a drawing sends."""

    picture: UploadFile
    csrf: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One device as the page shows it."""

    device: Device
    health: str
    """`online`, `silent` or `offline`."""
    last: Found | None
    x: float | None
    y: float | None


@get("/devices", sync_to_thread=True, guards=[needs(Role.GUARD)])
def show(page: ThisPage) -> Response[str]:
    """Show every site with its plan and its devices."""
    return _show(page)


@get("/plans/{site:str}", sync_to_thread=True, guards=[needs(Role.GUARD)])
def picture(page: ThisPage, site: FromPath[str]) -> Response[bytes]:
    """Return the drawing of a site."""
    with reading(page.console.engine) as connection:
        found = floor_plans.picture(connection, site)
    if found is None:
        raise NotFoundException
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(found[1], media_type=found[0], headers=headers)


@post("/plans/{site:str}", status_code=200, guards=[needs(Role.ADMINISTRATOR)], request_max_body_size=17_000_000)
async def upload(page: ThisPage, site: FromPath[str], data: MultipartBody[Drawing]) -> Response[Any]:
    """Take a drawing in place of the one before."""
    content = await data.picture.read(page.console.web.plan_bytes + 1)
    problem = _refusal(content, page.console.web.plan_bytes)
    if problem or site not in _sites(page):
        return _show(page, status=400, problem=page.said(problem or "devices.no_site"))
    await data.picture.seek(0)
    width, height = imagesize.get(data.picture.file)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        return _show(page, status=400, problem=page.said("devices.no_picture"))
    with writing(page.console.engine) as connection:
        floor_plans.put(connection, Plan(site, _kind(content), width, height, page.now), content)
        page.note(connection, "plan", site, f"{width} x {height}, {len(content)} bytes")
    return page.go("/devices")


@post("/plans/{site:str}/places", sync_to_thread=True, status_code=200, guards=[needs(Role.ADMINISTRATOR)])
def put(page: ThisPage, site: FromPath[str], data: URLEncodedBody[Spot]) -> Response[Any]:
    """Put a device on the plan, or take it off."""
    try:
        place = Place(float(data.x) / 100, float(data.y) / 100) if data.x.strip() and data.y.strip() else None
    except ValueError:
        return _show(page, status=400, problem=page.said("devices.no_place"))
    with writing(page.console.engine) as connection:
        if (site, data.device) not in {(one.site, one.device) for one in devices.everyone(connection)}:
            raise NotFoundException
        floor_plans.set_place(connection, site, data.device, place)
        page.note(connection, "place", f"{site}/{data.device}", f"{data.x} {data.y}")
    return page.go("/devices")


def shown(
    found: list[Device],
    last: Mapping[tuple[str, str], Found],
    places: Mapping[tuple[str, str], Place],
    now: datetime,
    silent: timedelta = SILENT,
) -> dict[str, list[Shown]]:
    """Put together what is known of each device, by site."""
    by_site: dict[str, list[Shown]] = {}
    for device in found:
        key = (device.site, device.device)
        place = places.get(key)
        spot = (place.x, place.y) if place else (None, None)
        by_site.setdefault(device.site, []).append(Shown(device, health(device, now, silent), last.get(key), *spot))
    return by_site


def patience(console: Console) -> timedelta:
    """Return after how long a device counts as not responding."""
    presence = console.config.presence
    return SILENT if presence is None else timedelta(seconds=presence.quiet_seconds)


def _show(page: Page, *, status: int = 200, problem: str = "") -> Response[str]:
    with reading(page.console.engine) as connection:
        found = devices.everyone(connection)
        by_site = shown(
            found, search.last_words(connection), floor_plans.places(connection), page.now, patience(page.console)
        )
        drawings = floor_plans.every(connection)
        rollouts = [(one, stages.counted(one, found)) for one in stages.newest(connection, limit=SHOWN_ROLLOUTS)]
    for site in page.console.config.sites:
        by_site.setdefault(site.id, [])
    return page.render(
        "devices.html",
        status=status,
        sites=by_site,
        plans=drawings,
        rollouts=rollouts,
        grid=GRID,
        problem=problem,
        now=page.now,
    )


def _sites(page: Page) -> set[str]:
    places: Places = page.console.places
    with reading(page.console.engine) as connection:
        return {one.site for one in devices.everyone(connection)} | {ids[0] for ids in places.names}


def _refusal(content: bytes, most: int) -> str:
    if len(content) > most:
        return "devices.too_large"
    return "" if _kind(content) else "devices.no_picture"


def _kind(content: bytes) -> str:
    return next((kind for start, kind in KINDS.items() if content.startswith(start)), "")

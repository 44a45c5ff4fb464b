"""Adding a device: an administrator makes its invitation, and watches it come."""

from typing import Annotated, Any, Final

import msgspec
import segno
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody
from markupsafe import Markup

from broker.config.enrolment import Enrolment
from broker.incidents.presence import devices
from broker.ingest.enrolment import authority, invitations
from broker.ingest.enrolment.invitations import Kept, NotEnrolled
from broker.store import captions
from broker.store.engine import reading, writing
from broker.web.accounts.account import Role
from broker.web.request.context import Page, ThisPage, needs
from contract import topics
from contract.errors import Refused

ADMINISTRATOR: Final = needs(Role.ADMINISTRATOR)


class Newcomer(msgspec.Struct):
    """What the form for a new device sends."""

    site: Annotated[str, msgspec.Meta(max_length=63)] = ""
    device: Annotated[str, msgspec.Meta(max_length=63)] = ""
    csrf: str = ""


@get("/enrolment", sync_to_thread=True, guards=[ADMINISTRATOR])
def ask(page: ThisPage) -> Response[str]:
    """Show the form."""
    return _form(page)


@post("/enrolment", sync_to_thread=True, status_code=200, guards=[ADMINISTRATOR])
def invite(page: ThisPage, data: URLEncodedBody[Newcomer]) -> Response[Any]:
    """Make an invitation; earlier ones of the same device end."""
    settings = page.console.config.enrolment
    if settings is None:
        return _form(page, status=400)
    site, device = data.site.strip(), data.device.strip()
    try:
        topics.topic(site, device, "caption")
    except Refused:
        return _form(page, status=400, problem=page.said("enrolment.bad_name"))
    token, _ = invitations.invite(authority.load(settings.folder), site, device, now=page.now)
    with writing(page.console.engine) as connection:
        page.note(connection, "device-invited", f"{site}/{device}")
    return page.go(f"/enrolment/{token}")


@get("/enrolment/{token:str}", sync_to_thread=True, guards=[ADMINISTRATOR])
def show(page: ThisPage, token: FromPath[str]) -> Response[str]:
    """Show an invitation as a link, a QR code and a file, and how far the device is."""
    settings, kept = _found(page, token)
    link = f"{settings.url}/enrol/{token}"
    drawn = segno.make(link, error="m").svg_inline(scale=5, svgclass="qr", lineclass="qr-line")
    code = Markup(drawn)  # noqa: S704 - made here, of numbers
    return page.render("invitation.html", token=token, kept=kept, link=link, code=code, **_progress(page, kept))


@get("/enrolment/{token:str}/progress", sync_to_thread=True, guards=[ADMINISTRATOR])
def progress(page: ThisPage, token: FromPath[str]) -> Response[str]:
    """Show how far the device is: part of that page, which asks for it again and again."""
    _, kept = _found(page, token)
    return page.render("_joining.html", token=token, kept=kept, **_progress(page, kept))


@get("/enrol/{token:str}", sync_to_thread=True)
def download(page: ThisPage, token: FromPath[str]) -> Response[bytes]:
    """Return the invitation's file. The token is the proof, as for the device; a used or late one opens nothing."""
    settings, kept = _found(page, token)
    if kept.key or page.now >= kept.until:
        raise NotFoundException
    made = invitations.written(authority.load(settings.folder), token, kept, settings)
    name = f"{kept.site}_{kept.device}.enroll"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(
        msgspec.json.format(msgspec.json.encode(made)) + b"\n", media_type="application/octet-stream", headers=headers
    )


@post("/devices/{site:str}/{device:str}/revoke", sync_to_thread=True, status_code=200, guards=[ADMINISTRATOR])
def revoke(page: ThisPage, site: FromPath[str], device: FromPath[str]) -> Response[Any]:
    """Lock a device out: its certificates and invitations count no more."""
    settings = page.console.config.enrolment
    if settings is None:
        raise NotFoundException
    known = authority.load(settings.folder)
    found = known.issued_to(f"{site}/{device}")
    if not invitations.withdraw(known, site, device) and not found:
        raise NotFoundException
    known.revoke(found, now=page.now)
    with writing(page.console.engine) as connection:
        page.note(connection, "device-revoked", f"{site}/{device}", f"{len(found)} certificates")
    return page.go(f"/devices/{site}/{device}?revoked=yes")


def _form(page: Page, *, status: int = 200, problem: str = "") -> Response[str]:
    settings = page.console.config.enrolment
    sites = sorted({ids[0] for ids in page.console.places.names})
    return page.render("enrolment.html", status=status, settings=settings, problem=problem, sites=sites)


def _found(page: Page, token: str) -> tuple[Enrolment, Kept]:
    settings = page.console.config.enrolment
    if settings is None:
        raise NotFoundException
    try:
        return settings, invitations.find(authority.load(settings.folder), token)
    except NotEnrolled as error:
        raise NotFoundException from error


def _progress(page: Page, kept: Kept) -> dict[str, Any]:
    """Return what is known of the device since it was invited."""
    with reading(page.console.engine) as connection:
        known = next(
            (one for one in devices.everyone(connection) if (one.site, one.device) == (kept.site, kept.device)), None
        )
        seen = captions.last_seen(connection, kept.site, kept.device) if kept.key else None
    # A device of the same name may have spoken before: it counts when this one has its certificate.
    return {"known": known if kept.key else None, "seen": seen, "is_late": page.now >= kept.until}

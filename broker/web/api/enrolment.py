"""`POST /enrol`: a device that was invited gets its certificate. Its token is its proof; it has no account."""

import logging
from pathlib import Path
from typing import Any, Final

import msgspec
from anyio.to_thread import run_sync
from litestar import Request, Response, post
from litestar.exceptions import NotFoundException

from broker.config.broker import Config
from broker.config.errors import Failure, Misconfigured
from broker.ingest.enrolment import authority, invitations
from broker.ingest.enrolment.invitations import Enrolled, NotEnrolled, Refusal
from broker.ingest.rollout.repository import Repository
from broker.retention import audit
from broker.retention.audit import Entry
from broker.store.engine import writing
from broker.web.request.auth import address_of
from broker.web.request.context import ThisPage
from broker.web.request.state import Console
from contract import enrolment
from contract.errors import Refused

PROBLEMS: Final = {
    Refusal.UNKNOWN: "there is no such invitation; `wordcam-broker enroll` makes one",
    Refusal.EXPIRED: "the invitation has expired; `wordcam-broker enroll` makes another",
    Refusal.USED: "another device has used this invitation; `wordcam-broker enroll` makes another, and if it was not"
    " yours that used it, `wordcam-broker revoke` locks it out",
    Refusal.NO_REQUEST: "`request` must be a certificate signing request in PEM, signed by its own key",
}
"""What the device shows to the person who enrols it."""

STATUS: Final = {Refusal.UNKNOWN: 404, Refusal.EXPIRED: 410, Refusal.USED: 409, Refusal.NO_REQUEST: 400}

log = logging.getLogger(__name__)


@post("/enrol", status_code=200)
async def enrol(request: Request[Any, Any, Any], page: ThisPage) -> Response[Any]:
    """Certify the key of a device that has a token."""
    console = page.console
    settings = console.config.enrolment
    if settings is None:
        raise NotFoundException
    try:
        asked = enrolment.read(await request.body(), enrolment.Request)
        done = await run_sync(_enrol, console, settings.folder, asked, address_of(request))
    except Refused as refused:
        return Response({"problem": refused.detail}, status_code=400)
    except NotEnrolled as refused:
        log.warning("device not enrolled", extra={"reason": refused.reason.value, "address": address_of(request)})
        return Response({"problem": PROBLEMS[refused.reason]}, status_code=STATUS[refused.reason])
    except Failure:
        log.exception("device not enrolled", extra={"address": address_of(request)})
        return Response({"problem": "the server cannot do this now; its log says why"}, status_code=503)
    answer = msgspec.structs.replace(done.answer, models=_models(console.config))
    return Response(msgspec.to_builtins(answer))


def _models(config: Config) -> enrolment.Models | msgspec.UnsetType:
    """Return whose signatures count for models; nothing where there is no repository yet."""
    if config.models is None or config.enrolment is None:
        return msgspec.UNSET
    try:
        root = Repository(config.models.folder).root.decode()
    except Misconfigured:
        return msgspec.UNSET
    return enrolment.Models(url=f"{config.enrolment.url}/models", root=root)


def _enrol(console: Console, folder: Path, asked: enrolment.Request, address: str) -> Enrolled:
    now = console.clock()
    done = invitations.enrol(authority.load(folder), asked, now=now)
    name = f"{done.site}/{done.device}"
    what = "asked again" if done.is_repeated else f"replaces {done.replaced}" if done.replaced else "first certificate"
    with writing(console.engine) as connection:
        audit.add(connection, Entry(now, name, address, "device-enrolled", name, what))
    log.info("device enrolled", extra={"device": name, "address": address, "replaced": done.replaced})
    return done

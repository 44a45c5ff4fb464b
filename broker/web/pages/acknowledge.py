"""The link of a notification: a page with one button that needs no login."""

from typing import Any

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from broker.incidents import ack_links, store
from broker.incidents.responses import Effect
from broker.notify import notifications
from broker.retention import audit
from broker.retention.audit import Entry
from broker.store.engine import reading, writing
from broker.web.request.auth import address_of
from broker.web.request.context import ThisPage


@get("/a/{token:str}", sync_to_thread=True)
def show(page: ThisPage, token: FromPath[str]) -> Response[str]:
    """Show what it is about. Opening it changes nothing: telephones open links by themselves, for a preview."""
    signer = page.console.signer
    if signer is None or len(token) > 200:
        raise NotFoundException
    try:
        number = signer.read(token)
    except ack_links.Refused as refused:
        return page.render("link.html", status=410, refused=str(refused), incident=None, effect=None, token="")
    with reading(page.console.engine) as connection:
        alert = notifications.get(connection, number)
        incident = store.get(connection, alert.incident_id) if alert and alert.incident_id else None
    if incident is None:
        raise NotFoundException
    return page.render("link.html", incident=incident, effect=None, token=token, refused="")


@post("/a/{token:str}", sync_to_thread=True, status_code=200)
def use(page: ThisPage, token: FromPath[str]) -> Response[Any]:
    """Acknowledge, once. The link itself is the proof: another site's form cannot know it."""
    console = page.console
    if console.signer is None or len(token) > 200:
        raise NotFoundException
    try:
        with writing(console.engine) as connection:
            answered = ack_links.use(connection, console.signer, token, at=page.now)
            incident = answered.incident
            if incident is not None and answered.effect is Effect.DONE:
                who = incident.acknowledged_by
                address = address_of(page.request)
                audit.add(connection, Entry(page.now, who, address, "acknowledge", f"incident {incident.id}", "link"))
    except ack_links.Refused as refused:
        return page.render("link.html", status=410, refused=str(refused), incident=None, effect=None, token="")
    return page.render("link.html", incident=incident, effect=answered.effect, token="", refused="")

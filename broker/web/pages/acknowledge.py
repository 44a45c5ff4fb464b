"""The link of a notification: a page with one button that needs no login."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from broker.incidents import ack_links, store
from broker.incidents.ack_links import Choice
from broker.incidents.responses import Effect
from broker.notify import notifications
from broker.notify.links import Refused
from broker.retention import audit
from broker.retention.audit import Entry
from broker.store.engine import reading, writing
from broker.web.request.auth import address_of
from broker.web.request.context import Page, ThisPage

CHOICES: Final = frozenset(Choice)
ACTIONS: Final = {
    Choice.TAKE: "acknowledge",
    Choice.GOING: "acknowledge",
    Choice.OVER: "resolve",
    Choice.FALSE: "false-alarm",
}
"""Words of the audit log."""


@get("/a/{token:str}", sync_to_thread=True)
def show(page: ThisPage, token: FromPath[str]) -> Response[str]:
    """Show what it is about. Opening it changes nothing: telephones open links by themselves, for a preview."""
    return _show(page, token, Choice.TAKE)


@get("/a/{token:str}/{answer:str}", sync_to_thread=True)
def show_button(page: ThisPage, token: FromPath[str], answer: FromPath[str]) -> Response[str]:
    """Show it with one button first: a labelled link of a mail leads here, and mail programs open links, too."""
    if answer not in CHOICES:
        raise NotFoundException
    return _show(page, token, Choice(answer))


def _show(page: Page, token: str, chosen: Choice) -> Response[str]:
    signer = page.console.signer
    if signer is None or len(token) > 200:
        raise NotFoundException
    try:
        number = signer.read(token)
        with reading(page.console.engine) as connection:
            alert = notifications.get(connection, number)
            incident = store.get(connection, alert.incident_id) if alert and alert.incident_id else None
        if alert is not None:
            signer.require_valid(alert, at=page.now)
    except Refused as refused:
        return page.render("link.html", status=410, refused=str(refused), incident=None, effect=None, token="")
    if incident is None:
        raise NotFoundException
    return page.render("link.html", incident=incident, effect=None, token=token, refused="", chosen=chosen.value)


@post("/a/{token:str}", sync_to_thread=True, status_code=200)
def use(page: ThisPage, token: FromPath[str]) -> Response[Any]:
    """Acknowledge, once. The link itself is the proof: another site's form cannot know it."""
    return _answer(page, token, Choice.TAKE)


@post("/a/{token:str}/{answer:str}", sync_to_thread=True, status_code=200)
def use_button(page: ThisPage, token: FromPath[str], answer: FromPath[str]) -> Response[Any]:
    """Answer what another button of the page says, once."""
    if answer not in CHOICES:
        raise NotFoundException
    return _answer(page, token, Choice(answer))


def _answer(page: Page, token: str, choice: Choice) -> Response[Any]:
    console = page.console
    if console.signer is None or len(token) > 200:
        raise NotFoundException
    try:
        with writing(console.engine) as connection:
            answered = ack_links.use(connection, console.signer, token, at=page.now, choice=choice)
            incident = answered.incident
            if incident is not None and answered.effect is Effect.DONE:
                who = incident.closed_by or incident.acknowledged_by
                address = address_of(page.request)
                audit.add(connection, Entry(page.now, who, address, ACTIONS[choice], f"incident {incident.id}", "link"))
    except Refused as refused:
        return page.render("link.html", status=410, refused=str(refused), incident=None, effect=None, token="")
    return page.render("link.html", incident=incident, effect=answered.effect, token="", refused="")

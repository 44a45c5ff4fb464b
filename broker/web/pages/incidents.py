"""Incidents: the list, one incident with its timeline, and answers to it."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, QueryParameter, URLEncodedBody
from sqlalchemy import Connection

from broker.incidents import responses, store
from broker.incidents.incident import State
from broker.incidents.responses import Answered, Effect
from broker.notify import notifications
from broker.notify.reasons import MAX_CHARS
from broker.store import search
from broker.store.engine import reading, writing
from broker.web.accounts.account import Role
from broker.web.request.context import Page, ThisPage, needs
from broker.web.request.numbers import Before

PAGE: Final = 30

ANSWERS: Final[dict[str, Callable[..., Answered]]] = {
    "acknowledge": responses.acknowledge,
    "resolve": responses.resolve,
    "false-alarm": responses.false_alarm,
}
"""What the buttons do, by the last part of their address."""


class Note(msgspec.Struct):
    """What someone writes into a timeline."""

    text: Annotated[str, msgspec.Meta(max_length=MAX_CHARS)] = ""
    csrf: str = ""


@get("/incidents", sync_to_thread=True, guards=[needs(Role.GUARD)])
def show(
    page: ThisPage,
    only: Annotated[str, QueryParameter(name="state")] = "",
    site: FromQuery[str] = "",
    before: Before = None,
) -> Response[str]:
    """List incidents, newest first."""
    states = [known for known in State if known.value == only]
    with reading(page.console.engine) as connection:
        found = store.newest(connection, states=states, sites=[site] if site else [], before=before, limit=PAGE)
        said = search.some(connection, (one.caption_id for one in found))
    template = "_incidents.html" if page.is_fragment else "incidents.html"
    older = found[-1].id if len(found) == PAGE else None
    return page.render(
        template, incidents=found, said=said, state=only, site=site, before=before, older=older, states=list(State)
    )


@get("/incidents/{number:int}", sync_to_thread=True, guards=[needs(Role.GUARD)])
def detail(page: ThisPage, number: FromPath[int]) -> Response[str]:
    """Show one incident: its timeline, its messages, and the reason of each."""
    return _detail(page, number)


@post("/incidents/{number:int}/{answer:str}", sync_to_thread=True, status_code=200, guards=[needs(Role.GUARD)])
def answer(page: ThisPage, number: FromPath[int], answer: FromPath[str]) -> Response[Any]:
    """Apply an answer, and show the incident."""
    act = ANSWERS.get(answer)
    if act is None:
        raise NotFoundException
    with writing(page.console.engine) as connection:
        made: Answered = act(connection, number, by=page.who.account.name, how="console", at=page.now)
        if made.effect is Effect.DONE:
            page.note(connection, answer, f"incident {number}")
    if made.effect is Effect.UNKNOWN:
        raise NotFoundException
    if not page.is_fragment:
        return page.go(f"/incidents/{number}")
    return _detail(page, number, effect=made.effect)


@post("/incidents/{number:int}/notes", sync_to_thread=True, status_code=200, guards=[needs(Role.GUARD)])
def note(page: ThisPage, number: FromPath[int], data: URLEncodedBody[Note]) -> Response[Any]:
    """Add someone's words to the timeline."""
    text = " ".join(data.text.split())
    if text:
        with writing(page.console.engine) as connection:
            if not responses.note(connection, number, text, by=page.who.account.name, at=page.now):
                raise NotFoundException
            page.note(connection, "note", f"incident {number}", text)
    return _detail(page, number) if page.is_fragment else page.go(f"/incidents/{number}")


def _detail(page: Page, number: int, effect: Effect = Effect.DONE) -> Response[str]:
    with reading(page.console.engine) as connection:
        known = _known(connection, number)
    template = "_incident.html" if page.is_fragment else "incident.html"
    return page.render(template, effect=effect, **known)


def _known(connection: Connection, number: int) -> dict[str, Any]:
    incident = store.get(connection, number)
    if incident is None:
        raise NotFoundException
    timeline = store.timeline(connection, number)
    ids = {event.caption_id for event in timeline if event.caption_id is not None} | {incident.caption_id}
    return {
        "incident": incident,
        "timeline": timeline,
        "captions": search.some(connection, ids),
        "messages": notifications.of_incident(connection, number),
    }

"""Silences: which notifications are suppressed, by whom, and why."""

from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody

from broker.incidents import raised_thresholds, silence, store
from broker.incidents.silence import Silence
from broker.store.engine import reading, writing
from broker.web.accounts.account import Role
from broker.web.pages import absences
from broker.web.request.context import Page, ThisPage, needs

HOURS: Final = (0.5, 2, 8, 24)
"""Lengths that the form offers."""

LONGEST_HOURS: Final = 24 * 30


class Wish(msgspec.Struct):
    """What the form sends."""

    matchers: Annotated[str, msgspec.Meta(max_length=400)] = ""
    """As one types them: `site=north-gate danger=smoke,fire`."""
    hours: float = 2
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""
    incident: int = 0
    """The incident on whose page the form is, if any."""
    csrf: str = ""


@get("/silences", sync_to_thread=True, guards=[needs(Role.GUARD)])
def show(page: ThisPage) -> Response[str]:
    """List silences, those in force first."""
    return _show(page)


@post("/silences", sync_to_thread=True, status_code=200, guards=[needs(Role.SUPERVISOR)])
def add(page: ThisPage, data: URLEncodedBody[Wish]) -> Response[Any]:
    """Silence something for a while."""
    now, name = page.now, page.who.account.name
    try:
        wished = make(data.matchers, hours=data.hours, reason=data.reason, author=name, now=now)
    except ValueError as error:
        return _show(page, status=400, problem=str(error), wish=data)
    with writing(page.console.engine) as connection:
        made = silence.add(connection, wished, at=now)
        page.note(connection, "silence", f"silence {made.id}", f"{made.as_text}, {data.hours:g} h: {made.reason}")
    return page.go(f"/incidents/{data.incident}" if data.incident > 0 else "/silences")


@post("/silences/{number:int}/end", sync_to_thread=True, status_code=200, guards=[needs(Role.SUPERVISOR)])
def end(page: ThisPage, number: FromPath[int]) -> Response[Any]:
    """End a silence early."""
    with writing(page.console.engine) as connection:
        if not silence.end(connection, number, by=page.who.account.name, at=page.now):
            raise NotFoundException
        page.note(connection, "silence-ended", f"silence {number}")
    return page.go("/silences")


@post("/silences/thresholds/{number:int}/end", sync_to_thread=True, status_code=200, guards=[needs(Role.SUPERVISOR)])
def take_back(page: ThisPage, number: FromPath[int]) -> Response[Any]:
    """Let a danger that a false alarm has quietened count at its camera as before."""
    with writing(page.console.engine) as connection:
        if not raised_thresholds.take_back(connection, number, by=page.who.account.name, at=page.now):
            raise NotFoundException
        page.note(connection, "threshold-reset", f"threshold {number}")
    return page.go("/silences")


def make(matchers: str, *, hours: float, reason: str, author: str, now: Any) -> Silence:
    """Return the silence of a form; raises `ValueError` with what is wrong."""
    if not 0 < hours <= LONGEST_HOURS:
        raise ValueError(f"{hours:g} hours: from a few minutes to {LONGEST_HOURS} hours can be silenced")
    read = silence.read_matchers(matchers.split())
    return Silence(author, " ".join(reason.split()), read, now, now + timedelta(hours=hours))


def _show(page: Page, *, status: int = 200, problem: str = "", wish: Wish | None = None) -> Response[str]:
    now = page.now
    with reading(page.console.engine) as connection:
        found = sorted(silence.newest(connection), key=lambda one: not one.holds_at(now))
        now_open = store.now_open(connection)
        raised = raised_thresholds.newest(connection)
        away = absences.listed(page, connection)
    return page.render(
        "silences.html",
        status=status,
        silences=found,
        raised=raised,
        now=now,
        problem=problem,
        wish=wish or Wish(),
        hours=HOURS,
        fields=silence.FIELDS,
        open=now_open,
        away=away,
        people=[one.name for one in page.console.config.recipients],
        away_hours=absences.HOURS,
    )

"""Who is away: a supervisor sets a recipient away for a while, or back; shown on the page of silences."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, post
from litestar.exceptions import NotFoundException
from litestar.params import URLEncodedBody
from sqlalchemy import Connection

from broker.incidents.absences import Absences
from broker.notify import absences, contacts
from broker.notify.opt_out import OptOut
from broker.store.engine import writing
from broker.web.accounts.account import Role
from broker.web.request.context import Page, ThisPage, needs

HOURS: Final = (2, 8, 24, 72, 168)
"""Lengths that the form offers."""

LONGEST_HOURS: Final = 24 * 60


class Wish(msgspec.Struct):
    """What the form sends."""

    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    hours: float = 8
    because: Annotated[str, msgspec.Meta(max_length=200)] = ""
    csrf: str = ""


@dataclass(frozen=True, slots=True)
class Away:
    """One recipient who is away."""

    name: str
    until: datetime
    because: str
    is_configured: bool
    """Whether `broker.yaml` says so, so that the console cannot end it."""


@post("/absences", sync_to_thread=True, status_code=200, guards=[needs(Role.SUPERVISOR)])
def add(page: ThisPage, data: URLEncodedBody[Wish]) -> Response[Any]:
    """Set someone away for so many hours."""
    recipients = page.console.config.recipients
    person = next((one for one in recipients if one.name == data.name), None)
    if person is None or not 0 < data.hours <= LONGEST_HOURS:
        raise NotFoundException
    ends_at, because = page.now + timedelta(hours=data.hours), " ".join(data.because.split())
    with writing(page.console.engine) as connection:
        _acts(page).set(connection, person, ends_at=ends_at, because=because, at=page.now)
        page.note(connection, "away", person.name, f"{data.hours:g} h: {because}")
    return page.go("/silences#away")


@post("/absences/end", sync_to_thread=True, status_code=200, guards=[needs(Role.SUPERVISOR)])
def end(page: ThisPage, data: URLEncodedBody[Wish]) -> Response[Any]:
    """Set someone back."""
    person = next((one for one in page.console.config.recipients if one.name == data.name), None)
    with writing(page.console.engine) as connection:
        if person is None or not _acts(page).end(connection, person, at=page.now):
            raise NotFoundException
        page.note(connection, "back", person.name)
    return page.go("/silences#away")


def listed(page: Page, connection: Connection) -> list[Away]:
    """Return who is away now, in the order of `broker.yaml`."""
    known = contacts.all_known(connection)
    found: list[Away] = []
    for person in page.console.config.recipients:
        contact, local = known.get(person.name), page.console.places.by_clock_of(person, page.now)
        until = absences.until(person, contact, local)
        if until is not None:
            set_here = contact is not None and contact.away_until == until
            found.append(Away(person.name, until, contact.away_because if contact else "", not set_here))
    return found


def _acts(page: Page) -> Absences:
    config = page.console.config
    return Absences(OptOut(config.recipients, config.incidents.escalation))

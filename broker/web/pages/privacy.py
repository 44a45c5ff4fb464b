"""Privacy: retention times, and deletion on request, which is counted first and then confirmed."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody

from broker.config.channels import e164
from broker.config.retention import KINDS
from broker.retention import erasure
from broker.retention.erasure import Asker, Forgotten
from broker.store.selection import Scope
from broker.web.accounts.account import Role
from broker.web.request.context import Page, ThisPage, needs

Text = Annotated[str, msgspec.Meta(max_length=63)]


class Wish(msgspec.Struct):
    """What the form for sentences sends; times are by the console's clock."""

    site: Text = ""
    device: Text = ""
    start: Text = ""
    end: Text = ""
    sure: Text = ""
    """`yes` where the count was seen and confirmed."""
    csrf: str = ""


class Number(msgspec.Struct):
    """What the form for a telephone number sends."""

    phone: Text = ""
    sure: Text = ""
    csrf: str = ""


@get("/privacy", sync_to_thread=True, guards=[needs(Role.ADMINISTRATOR)])
def show(page: ThisPage) -> Response[str]:
    """Show the times and both forms."""
    return _show(page)


@post("/privacy/sentences", sync_to_thread=True, status_code=200, guards=[needs(Role.ADMINISTRATOR)])
def sentences(page: ThisPage, data: URLEncodedBody[Wish]) -> Response[str]:
    """Count what would be deleted, or delete it."""
    try:
        scope = Scope(data.site, data.device, _moment(page, data.start), _moment(page, data.end))
    except ValueError:
        return _show(page, status=400, problem=page.said("privacy.bad_wish"), wish=data)
    if scope.is_everything:
        return _show(page, status=400, problem=page.said("privacy.nothing"), wish=data)
    if data.sure != "yes":
        return _show(page, wish=data, counted=erasure.count(page.console.engine, scope))
    done = erasure.forget(page.console.engine, scope, asker(page), now=page.now)
    return _show(page, done=done)


@post("/privacy/number", sync_to_thread=True, status_code=200, guards=[needs(Role.ADMINISTRATOR)])
def number(page: ThisPage, data: URLEncodedBody[Number]) -> Response[str]:
    """Count the messages that hold a number, or take it out of them."""
    try:
        phone = e164(data.phone)
    except ValueError:
        return _show(page, status=400, problem=page.said("privacy.bad_number"), phone=data.phone)
    if data.sure != "yes":
        return _show(page, phone=data.phone, counted=erasure.count_phone(page.console.engine, phone))
    done = erasure.forget_phone(page.console.engine, phone, asker(page), now=page.now)
    return _show(page, done=done)


def asker(page: Page) -> Asker:
    """Return who asks, for the audit log."""
    return Asker(page.who.account.name, page.who.address)


def _moment(page: Page, text: str) -> datetime | None:
    """Read what a browser's field for date and time sends; raises `ValueError`."""
    if not text:
        return None
    read = datetime.fromisoformat(text)
    moment = read if read.tzinfo else read.replace(tzinfo=page.console.places.clock)
    if not 1970 <= moment.year < 2200:
        raise ValueError(f"{text} is not from 1970 to 2199")
    return moment.astimezone(UTC)


def _show(  # noqa: PLR0913 - one for each thing that the page may show
    page: Page,
    *,
    status: int = 200,
    problem: str = "",
    wish: Wish | None = None,
    phone: str = "",
    counted: Forgotten | None = None,
    done: Forgotten | None = None,
) -> Response[str]:
    retention = page.console.config.retention
    return page.render(
        "privacy.html",
        status=status,
        problem=problem,
        kept=[(kind, getattr(retention, f"{kind}_days")) for kind in KINDS],
        wish=wish or Wish(),
        phone=phone,
        counted=counted,
        done=done,
        sites=page.console.config.sites,
    )

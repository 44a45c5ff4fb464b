"""Failed notifications, each with its reason, and sending them again."""

from typing import Any

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from broker.notify import dead_letters
from broker.store.engine import reading, writing
from broker.web.accounts.account import Role
from broker.web.request.context import ThisPage, needs


@get("/messages", sync_to_thread=True, guards=[needs(Role.SUPERVISOR)])
def show(page: ThisPage) -> Response[str]:
    """List them, the newest first."""
    with reading(page.console.engine) as connection:
        messages = dead_letters.listed(connection, limit=200)
    return page.render("messages.html", messages=messages)


@post("/messages/{number:int}/resend", sync_to_thread=True, status_code=200, guards=[needs(Role.SUPERVISOR)])
def resend(page: ThisPage, number: FromPath[int]) -> Response[Any]:
    """Send one again."""
    with writing(page.console.engine) as connection:
        known = dead_letters.take_up(connection, number, by=page.who.account.name, at=page.now)
        if not known:
            raise NotFoundException
        page.note(connection, "resend", f"message {number}")
    return page.go("/messages")

"""The audit log: who did what, when and from where."""

from typing import Final

from litestar import Response, get
from litestar.params import FromQuery

from broker.retention import audit
from broker.store.engine import reading
from broker.web.accounts.account import Role
from broker.web.request.context import ThisPage, needs
from broker.web.request.numbers import Before

PAGE: Final = 100


@get("/audit", sync_to_thread=True, guards=[needs(Role.SUPERVISOR)])
def show(page: ThisPage, actor: FromQuery[str] = "", before: Before = None) -> Response[str]:
    """List what was done, the newest first."""
    with reading(page.console.engine) as connection:
        entries = audit.newest(connection, before=before, actor=actor[:64], limit=PAGE)
    older = entries[-1].id if len(entries) == PAGE else None
    return page.render("audit.html", entries=entries, actor=actor, older=older)

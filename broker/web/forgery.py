"""Refuses a form that another site made a browser send."""

import hmac
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from broker.web.page import from_here

FIELD: Final = "csrf"
SAFE: Final = ("GET", "HEAD", "OPTIONS")


async def check(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Let a form pass that carries its session's word; raises `PermissionDeniedException`.

    The cookie alone proves nothing, because browsers send it along with other sites' forms.
    """
    if not isinstance(connection, Request) or connection.method in SAFE:
        return
    viewer = connection.scope.get("user")
    if viewer is None:
        return  # the guard that asks for the login refuses, or the page has a check of its own
    form = await connection.form()
    given = form.get(FIELD)
    if not from_here(connection) or not isinstance(given, str) or not _same(given, viewer.csrf):
        raise PermissionDeniedException(extra={"csrf": True})


def _same(given: str, right: str) -> bool:
    return bool(right) and hmac.compare_digest(given.encode(), right.encode())

"""Refuses forms that another site made a browser send (CSRF)."""

import hmac
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import FormMultiDict
from litestar.exceptions import ClientException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from broker.web.request.context import from_here

FIELD: Final = "csrf"
SAFE: Final = ("GET", "HEAD", "OPTIONS")


async def check(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Accept a form that carries the CSRF token of its session; raises `PermissionDeniedException`.

    The cookie alone proves nothing, because browsers send it along with other sites' forms.
    """
    if not isinstance(connection, Request) or connection.method in SAFE:
        return
    viewer = connection.scope.get("user")
    if viewer is None:
        return  # the guard that asks for the login refuses, or the page has a check of its own
    form = await form_of(connection)
    given = form.get(FIELD)
    if not from_here(connection) or not isinstance(given, str) or not _same(given, viewer.csrf):
        raise PermissionDeniedException(extra={"csrf": True})


async def form_of(request: Request[Any, Any, Any]) -> FormMultiDict:
    """Read the form of a request; raises `ClientException` where its text is in no known encoding."""
    try:
        return await request.form()
    except (UnicodeDecodeError, LookupError) as error:
        raise ClientException("a field of the form is not UTF-8") from error


def _same(given: str, right: str) -> bool:
    return bool(right) and hmac.compare_digest(given.encode(), right.encode())

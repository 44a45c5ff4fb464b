"""Turns errors into pages for people and JSON for programs, without details of the inside."""

import logging
from collections.abc import Callable
from typing import Any, Final

from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException, NotAuthorizedException

from broker.config.errors import Locked
from broker.web.api.schemas import Problem
from broker.web.request.auth import API
from broker.web.request.context import login_path, of_request
from broker.web.request.state import Console

log = logging.getLogger(__name__)

KNOWN: Final = (400, 401, 403, 404, 405, 413, 503)
"""Statuses that the catalogues have words for; any other is spoken of as 500 or 400."""


def handlers(console: Console) -> dict[int | type[Exception], Callable[..., Response[Any]]]:
    """Return the handlers of everything that a request may raise."""

    def of_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
        return _answer(request, console, error.status_code, _words(error))

    def of_locked(request: Request[Any, Any, Any], error: Locked) -> Response[Any]:
        log.warning("database busy", extra={"reason": str(error)})
        answer = _answer(request, console, 503, "the database is busy; try again")
        answer.headers["Retry-After"] = "2"
        return answer

    def of_bug(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        log.error("a page failed", exc_info=error, extra={"path": request.scope["path"]})
        return _answer(request, console, 500, "an error of the console; its log says more")

    return {HTTPException: of_http, Locked: of_locked, Exception: of_bug}


def _answer(request: Request[Any, Any, Any], console: Console, status: int, problem: str) -> Response[Any]:
    if request.scope["path"].startswith(API):
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
        return Response(Problem(status, problem), status_code=status, media_type=MediaType.JSON, headers=headers)
    page = of_request(request, console)
    if status == NotAuthorizedException.status_code and page.viewer is None:
        return page.go(login_path(request))
    shown = status if status in KNOWN else 500 if status >= 500 else 400
    if page.is_fragment:
        return Response(page.said(f"problem.{shown}"), status_code=status, media_type=MediaType.TEXT)
    return page.render("problem.html", status=status, shown=shown)


def _words(error: HTTPException) -> str:
    """Return what is wrong, and which fields of the request it is about."""
    extra = error.extra
    if isinstance(extra, list):
        fields = "; ".join(f"{one.get('key', '')}: {one.get('message', '')}".strip(": ") for one in extra)
        return fields[:400] or error.detail
    return error.detail[:400]

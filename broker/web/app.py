"""Builds the console's application: pages, API, and what all of them share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from litestar import Litestar, Router
from litestar.config.response_cache import ResponseCacheConfig
from litestar.datastructures import MutableScopeHeaders
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope

from broker.web.api import enrolment as enrolment_api
from broker.web.api import models, probes, routes
from broker.web.background import search_indexer
from broker.web.background.live_feed import Feed
from broker.web.error_handlers import handlers
from broker.web.pages import (
    absences,
    acknowledge,
    audit,
    device,
    devices,
    enrolment,
    history,
    incidents,
    live,
    login,
    messages,
    privacy,
    rules,
    silences,
    statistics,
    users,
    visits,
    welcome,
)
from broker.web.request import csrf, numbers
from broker.web.request.auth import Recognition
from broker.web.request.context import provide_page
from broker.web.request.state import Console
from broker.web.webhooks import routes as webhooks
from broker.web.webhooks.twilio import TwilioHooks

BODY_BYTES: Final = 64_000
"""Of a request body; floor plans and drafts of rules have limits of their own."""

STATIC: Final = Path(__file__).parent / "static"

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""No script in a caption runs, and no page can be framed."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}

PAGES: Final = (
    *(live.show, live.stream),
    *(incidents.show, incidents.detail, incidents.answer, incidents.note),
    *(silences.show, silences.add, silences.end, silences.take_back, absences.add, absences.end),
    *(history.show, history.download, visits.show),
    *(devices.show, devices.picture, devices.upload, devices.put, device.show),
    *(enrolment.ask, enrolment.invite, enrolment.show, enrolment.progress, enrolment.revoke),
    *(statistics.show, rules.show, rules.attempt, audit.show, messages.show, messages.resend),
    *(users.show, users.add, users.change, users.own, users.set_own, users.add_token, users.end_token),
    *(privacy.show, privacy.sentences, privacy.number),
    *(login.leave, login.choose_language, login.choose_theme),
)
"""Pages that need a session, whose forms carry its CSRF token."""

OPEN_PAGES: Final = (
    login.show,
    login.enter,
    acknowledge.show,
    acknowledge.show_button,
    acknowledge.use,
    acknowledge.use_button,
    enrolment_api.enrol,
    enrolment.download,
    models.metadata,
    models.target,
    welcome.show,
    welcome.use,
)
"""Pages that need no login, each with a proof of its own."""


def build(console: Console, hooks_: TwilioHooks | None = None) -> Litestar:
    """Return the application."""
    feed = Feed(console.engine)
    pages = Router("/", route_handlers=[*PAGES], guards=[csrf.check, numbers.check], include_in_schema=False)
    open_pages = Router("/", route_handlers=[*OPEN_PAGES, *probes.of(console)], include_in_schema=False)
    api = Router("/api/v1", route_handlers=[*routes.HANDLERS], security=[{"token": []}])
    given: dict[str, Any] = {"page": Provide(provide_page(console), sync_to_thread=False), "feed": _always(feed)}
    static = create_static_files_router("/static", directories=[STATIC], include_in_schema=False)
    return Litestar(
        route_handlers=[pages, open_pages, api, static, *_hooks(console, hooks_)],
        dependencies=given,
        middleware=[DefineMiddleware(Recognition, console=console)],
        exception_handlers=handlers(console),
        before_send=[_headers(console)],
        lifespan=[_works(console, feed)],
        request_max_body_size=BODY_BYTES,
        openapi_config=_openapi(),
        response_cache_config=ResponseCacheConfig(),
        logging_config=None,
        debug=False,
    )


def _hooks(console: Console, hooks_: TwilioHooks | None) -> list[Router]:
    if hooks_ is None:
        return []
    base_url = console.web.public_url or (console.config.links.base_url if console.config.links else "")
    given = {"hooks": _always(hooks_), "hooks_url": _always(base_url)}
    return [
        Router("/", route_handlers=[webhooks.status, webhooks.inbound], dependencies=given, include_in_schema=False)
    ]


def _always(value: Any) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)


def _headers(console: Console) -> Callable[[Message, Scope], Any]:
    given = dict(HEADERS)
    if console.web.is_secure:
        given["Strict-Transport-Security"] = "max-age=31536000"

    async def add(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            headers = MutableScopeHeaders.from_message(message)
            for name, value in given.items():
                headers[name] = value
            # Pages say who does what where: no browser or proxy may cache them.
            if not scope["path"].startswith(("/static/", "/plans/")):
                headers["Cache-Control"] = "no-store"

    return add


def _works(console: Console, feed: Feed) -> Callable[[Litestar], Any]:
    @asynccontextmanager
    async def works(_app: Litestar) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(feed.run()), asyncio.create_task(search_indexer.run(console))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    return works


def _openapi() -> OpenAPIConfig:
    token = SecurityScheme(type="http", scheme="bearer", description="A token made on the console's account page.")
    return OpenAPIConfig(
        title="wordcam",
        version="1",
        description="Captions, incidents, and answers to them.",
        path="/api/v1",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        components=Components(security_schemes={"token": token}),
        use_handler_docstrings=True,
    )

"""The live page: new captions, and the open incidents."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from anyio.to_thread import run_sync
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage
from sqlalchemy import Connection

from broker.config.section import SEVERITIES
from broker.incidents import store
from broker.incidents.incident import Incident, State
from broker.store import captions, search
from broker.store.engine import reading
from broker.store.search import Found
from broker.web.accounts.account import Role
from broker.web.background.live_feed import AT_ONCE, Feed, News
from broker.web.rendering import render
from broker.web.request.context import Page, ThisPage, needs
from broker.web.request.numbers import AfterCaption

SHOWN: Final = 40
"""Captions on the page when it opens."""

BEAT_SECONDS: Final = 15
"""A comment is sent this often while nothing happens, so that proxies keep the line open and a dead one is noticed."""


@get("/", sync_to_thread=True, guards=[needs(Role.GUARD)], name="live")
def show(page: ThisPage) -> Response[str]:
    """Show the last captions and the open incidents."""
    with reading(page.console.engine) as connection:
        start = captions.newest_id(connection, back=SHOWN)
        found = search.after(connection, start, limit=SHOWN)
        waiting = waiting_incidents(connection)
    last = found[-1].id if found else start
    return page.render("live.html", captions=found[::-1], last=last, **waiting)


@get("/live/stream", guards=[needs(Role.GUARD)])
async def stream(page: ThisPage, feed: NamedDependency[Feed], after: AfterCaption = 0) -> ServerSentEvent:
    """Send captions and incidents as they come; a browser that was cut off says what it saw last."""
    seen = page.request.headers.get("last-event-id", "")
    return ServerSentEvent(_events(page, feed, int(seen) if seen.isdecimal() and len(seen) < 12 else after))


async def _events(page: Page, feed: Feed, after: int) -> AsyncIterator[ServerSentEventMessage]:
    ends_at = page.now + page.console.session_for
    shown = _Shown(page, after)
    async with feed.reader() as queue:
        floor = await run_sync(_floor, page)
        for message in await run_sync(shown.take, await run_sync(feed.look, max(after, floor))):
            yield message
        while page.now < ends_at and await run_sync(page.console.still_in, page.who.session):
            try:
                news = await asyncio.wait_for(queue.get(), BEAT_SECONDS)
            except TimeoutError:
                yield ServerSentEventMessage(data=None, comment="still here")
                continue
            for message in await run_sync(shown.take, news):
                yield message


def _floor(page: Page) -> int:
    """Return the oldest caption that is still sent after a reconnect."""
    with reading(page.console.engine) as connection:
        return captions.newest_id(connection, back=AT_ONCE)


@dataclass
class _Shown:
    """What one open page shows already."""

    page: Page
    caption: int
    incidents: tuple[tuple[int, str, int], ...] | None = None

    def take(self, news: News) -> list[ServerSentEventMessage]:
        """Return what is new to this page."""
        made = []
        for found in news.captions:
            if found.id > self.caption:
                self.caption = found.id
                html = self._html("_caption.html", caption=found, is_new=True)
                made.append(ServerSentEventMessage(data=html, event="caption", id=found.id))
        if news.incidents != self.incidents:
            self.incidents = news.incidents
            with reading(self.page.console.engine) as connection:
                waiting = waiting_incidents(connection)
            html = self._html("_waiting.html", page=self.page, may=self.page.may, viewer=self.page.viewer, **waiting)
            made.append(ServerSentEventMessage(data=html, event="incidents"))
        return made

    def _html(self, template: str, **values: Any) -> str:
        return render.render(template, self.page.console, self.page.language, values)


def waiting_incidents(connection: Connection) -> dict[str, Any]:
    """Return the open incidents, the most severe first, of these the unanswered, of these the oldest.

    Those of missed devices come apart: however many there are, they hide no danger.
    """
    found = sorted(store.now_open(connection), key=_by_severity)
    dangers = [one for one in found if not one.lost]
    said: dict[int, Found] = search.some(connection, (one.caption_id for one in dangers))
    return {"incidents": dangers, "notices": [one for one in found if one.lost], "said": said}


def _by_severity(incident: Incident) -> tuple[int, bool, datetime, int]:
    return -SEVERITIES.index(incident.severity), incident.state is not State.OPEN, incident.opened_at, incident.id

"""Polls the database once for all live pages, and passes on what is new."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from anyio.to_thread import run_sync
from sqlalchemy import Engine

from broker.config.errors import Locked
from broker.incidents import store
from broker.store import captions, search
from broker.store.engine import reading
from broker.store.search import Found

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.4
"""How often the database is polled: faster than people notice."""

AT_ONCE: Final = 200
"""Captions passed on in one message; a flood is shown in several."""

BEHIND: Final = 20
"""Unread messages of a slow page, beyond which the oldest are dropped: the history has them."""


@dataclass(frozen=True, slots=True)
class News:
    """What one poll has found."""

    captions: Sequence[Found]
    incidents: tuple[tuple[int, str, int], ...]
    """Number, state and sightings of the open incidents: pages draw them anew when this differs."""


@dataclass
class Feed:
    """Polls one database for all live pages."""

    engine: Engine
    _readers: set["asyncio.Queue[News]"] = field(default_factory=set)
    _last: tuple[tuple[int, str, int], ...] = ()

    async def run(self) -> None:
        """Poll and pass on, until cancelled."""
        shown = await run_sync(self._newest)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._readers:
                shown = await run_sync(self._newest)
                continue
            try:
                news = await run_sync(self.look, shown)
            except Locked as error:
                log.warning("live page cannot read the database", extra={"reason": str(error)})
                continue
            if news.captions or news.incidents != self._last:
                shown = news.captions[-1].id if news.captions else shown
                self._last = news.incidents
                self._pass_on(news)

    def look(self, caption_id: int) -> News:
        """Return the captions stored after one, and the open incidents."""
        with reading(self.engine) as connection:
            found = search.after(connection, caption_id, limit=AT_ONCE)
            now_open = store.now_open(connection)
        return News(found, tuple((one.id, one.state.value, one.sightings) for one in now_open))

    @asynccontextmanager
    async def reader(self) -> AsyncIterator["asyncio.Queue[News]"]:
        """Listen for as long as the block lasts."""
        queue: asyncio.Queue[News] = asyncio.Queue(maxsize=BEHIND)
        self._readers.add(queue)
        try:
            yield queue
        finally:
            self._readers.discard(queue)

    def _pass_on(self, news: News) -> None:
        for queue in self._readers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(news)

    def _newest(self) -> int:
        try:
            with reading(self.engine) as connection:
                return captions.newest_id(connection)
        except Locked:
            return 0

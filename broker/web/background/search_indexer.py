"""Indexes new captions for search, and samples the ledgers of the devices."""

import asyncio
import logging
from typing import Final

from anyio.to_thread import run_sync

from broker.config.errors import Locked
from broker.incidents.presence import devices
from broker.store import search, statistics
from broker.store.engine import reading, writing
from broker.store.search import Found
from broker.web import search_terms
from broker.web.request.state import Console

log = logging.getLogger(__name__)

AT_ONCE: Final = 200
"""Captions written in one transaction: the alert service waits no longer than that takes."""

LOOK_SECONDS: Final = 1.0
SAMPLE_SECONDS: Final = 60.0


async def run(console: Console) -> None:
    """Index and sample until cancelled; in the console's process, so that it costs the alert service nothing."""
    waited = SAMPLE_SECONDS
    while True:
        try:
            more = await run_sync(index, console)
            if waited >= SAMPLE_SECONDS:
                await run_sync(sample, console)
                waited = 0
        except Locked as error:
            log.info("search index waits for the database", extra={"reason": str(error)})
            more = False
        await asyncio.sleep(0 if more else LOOK_SECONDS)
        waited += LOOK_SECONDS


def index(console: Console) -> bool:
    """Index the next captions; False where all are indexed."""
    with reading(console.engine) as connection:
        found = search.unindexed(connection, limit=AT_ONCE)
    if not found:
        return False
    entries = [search_terms.entry(one, _translated(console, one)) for one in found]
    with writing(console.engine) as connection:
        # Another console may have written the same in the meantime.
        known = search.unindexed(connection, limit=1)
        if known and known[0].id == found[0].id:
            search.index(connection, entries)
    return len(found) == AT_ONCE


def sample(console: Console) -> None:
    """Store the ledgers of all devices."""
    with reading(console.engine) as connection:
        ledgers = {place: ledger for place, (_, ledger) in devices.states(connection).items()}
    if ledgers:
        with writing(console.engine) as connection:
            statistics.sample(connection, ledgers, at=console.clock())


def _translated(console: Console, found: Found) -> str:
    """Return a caption in the other of the two languages."""
    return console.translate(found.text, found.language, "en" if found.language.startswith("ko") else "ko")

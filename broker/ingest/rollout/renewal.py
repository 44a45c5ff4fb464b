"""Renews the repository's signatures before they expire, so that nobody has to remember it."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from broker.config.errors import Failure
from broker.ingest.rollout.repository import EXPIRY, METADATA, Repository

EVERY: Final = timedelta(hours=1)

ROOT_WARNING: Final = timedelta(days=60)
"""So long before it expires the root is missed in the log: its key is elsewhere, and somebody has to fetch it."""

log = logging.getLogger(__name__)


@dataclass
class Renewal:
    """Of one repository, on the machine where its keys are; elsewhere it says so in the log."""

    folder: Path
    _next_at: datetime | None = field(default=None, init=False)

    def step(self, now: datetime) -> None:
        """Renew what is due; once an hour at most, and nothing where there is no repository."""
        if (self._next_at is not None and now < self._next_at) or not (self.folder / METADATA).exists():
            return
        self._next_at = now + EVERY
        try:
            ends = Repository(self.folder).expiries()
            if ends["timestamp"] - now < EXPIRY["timestamp"] / 2:
                log.info("signatures renewed", extra={"roles": Repository(self.folder).refresh(now=now)})
            if ends["root"] - now < ROOT_WARNING:
                log.warning("the root of the models expires", extra={"until": ends["root"].isoformat()})
        except Failure as error:
            log.warning("signatures not renewed", extra={"reason": str(error)})

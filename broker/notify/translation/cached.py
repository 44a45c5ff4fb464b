"""Translates by a service, caches its answers, and falls back to another translator while it fails."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine

from broker.config.errors import Locked
from broker.config.section import Language
from broker.notify.translation import cache
from broker.ports import Metrics, TranslationService, Translator, Untranslated
from broker.store.engine import reading, writing

log = logging.getLogger(__name__)

REST_SECONDS: Final = 30.0
"""After a failure the service is left alone so long, so that a flood of alerts does not wait for it one by one."""


@dataclass(eq=False)
class CachedTranslator:
    """A service with a cache; while it fails, another translator is used, which never fails."""

    service: TranslationService
    otherwise: Translator
    engine: Engine | None
    """Where translations are kept; without it nothing is."""
    limit: int
    """How many are kept; 0 for none."""
    metrics: Metrics
    seconds: Callable[[], float] = time.monotonic
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _rest_until: float = field(default=-math.inf, init=False)

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Return the first of `versions`."""
        return self.versions(sentence, source=source, target=target)[0]

    def versions(self, sentence: str, *, source: str, target: Language) -> Sequence[str]:
        """Return the sentence as the service translates it, or else as the other translator does."""
        if source.lower().startswith(target):
            return (sentence,)
        if (known := self._recall(sentence, target)) is not None:
            self.metrics.translated("kept")
            return (known,)
        if self.seconds() < self._rest_until:
            self.metrics.translated("resting")
            return self.otherwise.versions(sentence, source=source, target=target)
        try:
            translated = self.service.translate(sentence, source=source, target=target)
        except Untranslated as error:
            self._rest_until = self.seconds() + REST_SECONDS
            self.metrics.translated("failed")
            log.warning("not translated", extra={"service": self.service.name, "reason": str(error)[:300]})
            return self.otherwise.versions(sentence, source=source, target=target)
        self.metrics.translated("made")
        self._keep(sentence, target, translated)
        return (translated,)

    def _recall(self, sentence: str, target: Language) -> str | None:
        if self.engine is None:
            return None
        try:
            with reading(self.engine) as connection:
                return cache.find(connection, self.service.name, target, sentence)
        except Locked:
            return None

    def _keep(self, sentence: str, target: Language, translated: str) -> None:
        if self.engine is None or not self.limit:
            return
        try:
            with writing(self.engine) as connection:
                row = (self.service.name, target, sentence)
                cache.keep(connection, row, translated, at=self.clock(), limit=self.limit)
        except Locked as error:
            log.warning("translation not kept", extra={"reason": str(error)})

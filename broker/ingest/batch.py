"""Processes a batch of messages: decodes, judges and stores it in one transaction, then acknowledges it."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine

from broker.incidents.grouping import Grouper, Queued
from broker.incidents.presence import devices
from broker.ingest import clock_skew, decoder, rejections
from broker.ingest.clock_skew import DeviceClocks
from broker.ingest.decoder import Message, Reading, Rejection
from broker.ports import IngestedBatch, Metrics
from broker.rules import engine as rules
from broker.rules import languages
from broker.rules.compiler import Rulebook
from broker.rules.engine import Finding, Seen
from broker.store import captions
from broker.store.captions import Stored
from broker.store.engine import writing
from contract.ack import MAX_IDS, Ack, Refusal
from contract.caption import Caption
from contract.status import Status

log = logging.getLogger(__name__)

MAX_REFUSALS: Final = 8
"""Refusals in one acknowledgement, as the contract allows."""

ACK_BYTES: Final = 1900
"""Encoded refusals in one acknowledgement: the rest of 2 KiB is its frame."""


@dataclass
class IngestCounts:
    """What was ingested since the start."""

    captions: int = 0
    duplicates: int = 0
    statuses: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass
class _Batch(IngestCounts):
    """What one batch held; it is counted and logged only after the commit."""

    queued: list[Queued] = field(default_factory=list)
    heard: Sequence[Caption] = ()
    """Its captions, new or not."""
    clocks: Counter[str] = field(default_factory=Counter)
    """Captions whose device's clock was wrong, by `clock_skew.FUTURE` and `PAST`."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An acknowledgement and the device that it is for."""

    site: str
    device: str
    ack: Ack


@dataclass
class BatchProcessor:
    """Processes every message that arrives."""

    engine: Engine
    rulebook: Rulebook
    grouper: Grouper
    on_notification: Callable[[], None]
    """Called after a commit that queued notifications."""
    metrics: Metrics
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    counts: IngestCounts = field(default_factory=IngestCounts, init=False)
    clocks: DeviceClocks = field(default_factory=DeviceClocks, init=False)
    _spoken: set[str] = field(default_factory=set, init=False)
    """Languages of captions so far."""

    def process(self, messages: Sequence[Message]) -> list[Acknowledgement]:
        """Store a batch, and return the acknowledgements that may be sent now.

        Raises `Locked` where the database cannot be written; nothing was stored then, and the batch may be
        processed again.
        """
        readings = [decoder.read(message) for message in messages]
        batch = _Batch()
        began = time.monotonic()
        with writing(self.engine) as connection:
            self._store(connection, readings, batch)
        self._count(batch)
        self.metrics.took_in(self._taken_in(batch, len(messages), time.monotonic() - began))
        for made in batch.queued:
            log.info("notification queued", extra=made.as_fields)
        if batch.queued:
            self.on_notification()
        return list(acknowledgements(readings))

    def _note_language(self, event: Caption) -> None:
        """Warn once of a language that no rule hears: only the probabilities of dangers raise an alarm of it."""
        if event.language in self._spoken:
            return
        self._spoken.add(event.language)
        if languages.unheard(event.language, languages.heard(self.rulebook)):
            place = {"language": event.language, "site": event.site, "device": event.device}
            log.warning("no rule hears the language of a camera", extra=place)

    def _store(self, connection: Connection, readings: Sequence[Reading], batch: _Batch) -> None:
        now = self.clock()
        said = [reading for reading in readings if isinstance(reading, Caption)]
        for status in (reading for reading in readings if isinstance(reading, Status)):
            self.clocks.hear(status, now=now)
        events = [clock_skew.corrected(event, now=now, behind=self.clocks.behind(event)) for event in said]
        for event in said:
            wrong = clock_skew.rejection(event, now=now, behind=self.clocks.behind(event))
            if wrong is not None:
                rejections.count(connection, wrong, at=now)
                batch.clocks[wrong.reason] += 1
        for event in said:
            self._note_language(event)
        new, dangerous = self._keep(connection, events, now)
        batch.captions, batch.duplicates, batch.heard = new, len(events) - new, events
        for caption, findings in dangerous:
            batch.queued += self.grouper.group(connection, caption, findings, now=now)
        for reading in readings:
            if isinstance(reading, Status):
                devices.record(connection, reading, heard_at=now)
                batch.statuses += 1
            elif isinstance(reading, Rejection):
                rejections.count(connection, reading, at=now)
                batch.refused[reading.reason] += 1

    def _keep(
        self, connection: Connection, events: Sequence[Caption], now: datetime
    ) -> tuple[int, list[tuple[Stored, list[Finding]]]]:
        """Store captions in their order; return how many are new, and those of them that rules have a finding for.

        Most captions name no danger: these are stored many at a time, without their row numbers.
        """
        new = 0
        dangerous: list[tuple[Stored, list[Finding]]] = []
        peaceful: list[Caption] = []
        for event in events:
            findings = rules.judge(self.rulebook, self._seen(event)) if rules.may_concern(self.rulebook, event) else []
            if not findings:
                peaceful.append(event)
                continue
            new += captions.add(connection, peaceful, received_at=now)
            peaceful = []
            stored = captions.add_one(connection, event, received_at=now)
            if stored is not None:
                new += 1
                dangerous.append((stored, findings))
        return new + captions.add(connection, peaceful, received_at=now), dangerous

    def _taken_in(self, batch: _Batch, messages: int, seconds: float) -> IngestedBatch:
        now = self.clock()
        heard = {(caption.source, caption.id): caption for caption in batch.heard}
        # Which captions of a mixed batch are new is not known; they come after a break, and would measure its length.
        fresh = heard.values() if len(heard) == batch.captions else ()
        delays = [(now - caption.captured_at).total_seconds() for caption in fresh]
        counted = (batch.captions, batch.duplicates, batch.statuses, batch.refused)
        return IngestedBatch(messages, seconds, batch.heard, *counted, delays, batch.clocks)

    def _seen(self, event: Caption) -> Seen:
        places = self.grouper.places
        zones, local = (
            places.zones_of(event.site, event.device, event.stream),
            places.local(event.captured_at, event.site),
        )
        return Seen.of(event, zones=zones, local=local, profile=places.profile_at(local, event.site))

    def _count(self, batch: _Batch) -> None:
        self.counts.captions += batch.captions
        self.counts.duplicates += batch.duplicates
        self.counts.statuses += batch.statuses
        self.counts.refused.update(batch.refused)
        for reason, count in batch.refused.items():
            log.warning("messages refused", extra={"reason": reason, "messages": count})


def acknowledgements(readings: Sequence[Reading]) -> Iterator[Acknowledgement]:
    """Yield the acknowledgements of one batch, as few as the contract allows."""
    stored: dict[tuple[str, str], list[str]] = {}
    refused: dict[tuple[str, str], list[Refusal]] = {}
    for reading in readings:
        if isinstance(reading, Caption):
            stored.setdefault((reading.site, reading.device), []).append(reading.id)
        elif isinstance(reading, Rejection) and reading.address is not None and reading.event_id is not None:
            place = (reading.address.site, reading.address.device)
            refused.setdefault(place, []).append(Refusal(reading.event_id, reading.reason))
    for (site, device), ids in stored.items():
        for at in range(0, len(ids), MAX_IDS):
            yield Acknowledgement(site, device, Ack(stored=tuple(ids[at : at + MAX_IDS])))
    for (site, device), named in refused.items():
        yield from (Acknowledgement(site, device, Ack(refused=some)) for some in _bundles(named))


def _bundles(named: Sequence[Refusal]) -> Iterator[tuple[Refusal, ...]]:
    """Part refusals so that each acknowledgement keeps within the contract: hostile ids may be long once encoded."""
    bundle: list[Refusal] = []
    room = ACK_BYTES
    for refusal in named:
        size = len(msgspec.json.encode(refusal)) + 1
        if bundle and (size > room or len(bundle) == MAX_REFUSALS):
            yield tuple(bundle)
            bundle, room = [], ACK_BYTES
        bundle.append(refusal)
        room -= size
    if bundle:
        yield tuple(bundle)

"""Takes in a batch of messages: read, judged and stored in one transaction, then answered."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine

from broker.config.broker import Recipient
from broker.config.incidents import Incidents
from broker.config.sites import Places
from broker.incidents.grouping import Grouper, Queued
from broker.incidents.presence import devices
from broker.ingest import clock_skew, decoder, rejections
from broker.ingest.decoder import Message, Reading, Rejection
from broker.ports import IngestedBatch, Metrics, NoMetrics
from broker.rules import engine as rules
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
    """What came in since the start."""

    captions: int = 0
    duplicates: int = 0
    statuses: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass
class _Batch(IngestCounts):
    """What one batch brought; the alerts are told of only after the commit."""

    alerts: list[Queued] = field(default_factory=list)
    heard: Sequence[Caption] = ()
    """Its captions, new or not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement and whom it is for."""

    site: str
    device: str
    ack: Ack


@dataclass
class BatchProcessor:
    """The desk at which every message is taken in. `on_alert` is called after a commit that made alerts."""

    engine: Engine
    rulebook: Rulebook
    recipients: Sequence[Recipient]
    incidents: Incidents = field(default_factory=Incidents)
    places: Places = field(default_factory=Places.nameless)
    on_alert: Callable[[], None] = lambda: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    counts: IngestCounts = field(default_factory=IngestCounts)
    metrics: Metrics = field(default_factory=NoMetrics)

    def accept(self, messages: Sequence[Message]) -> list[Answer]:
        """Store a batch, and give the acknowledgements that may be sent now.

        Raises `Locked` where the database cannot be written; nothing has happened then, and the batch may come again.
        """
        readings = [decoder.read(message) for message in messages]
        batch = _Batch()
        began = time.monotonic()
        with writing(self.engine) as connection:
            self._store(connection, readings, batch)
        self._count(batch)
        self.metrics.took_in(self._taken_in(batch, len(messages), time.monotonic() - began))
        for made in batch.alerts:
            log.info("alert made", extra=made.as_fields)
        if batch.alerts:
            self.on_alert()
        return list(answers(readings))

    def _store(self, connection: Connection, readings: Sequence[Reading], batch: _Batch) -> None:
        now = self.clock()
        said = [reading for reading in readings if isinstance(reading, Caption)]
        events = [clock_skew.dated(event, now=now) for event in said]
        for early in filter(None, (clock_skew.complaint(event, now=now) for event in said)):
            rejections.count(connection, early, at=now)
        new, grave = self._keep(connection, events, now)
        batch.captions, batch.duplicates, batch.heard = new, len(events) - new, events
        grouper = Grouper(self.recipients, self.incidents, self.places)
        for caption, findings in grave:
            batch.alerts += grouper.take(connection, caption, findings, now=now)
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
        """Store captions in their order; give how many are new, and those of them that rules have a finding for.

        Most captions say nothing of danger: these are stored many at a time, and nobody asks for their numbers.
        """
        new = 0
        grave: list[tuple[Stored, list[Finding]]] = []
        harmless: list[Caption] = []
        for event in events:
            findings = rules.judge(self.rulebook, self._seen(event)) if rules.may_concern(self.rulebook, event) else []
            if not findings:
                harmless.append(event)
                continue
            new += captions.add(connection, harmless, received_at=now)
            harmless = []
            stored = captions.add_one(connection, event, received_at=now)
            if stored is not None:
                new += 1
                grave.append((stored, findings))
        return new + captions.add(connection, harmless, received_at=now), grave

    def _taken_in(self, batch: _Batch, messages: int, seconds: float) -> IngestedBatch:
        now = self.clock()
        heard = {(caption.source, caption.id): caption for caption in batch.heard}
        # Which of a batch were there before nobody asks; they come after a break, and would tell of its length.
        fresh = heard.values() if len(heard) == batch.captions else ()
        delays = [(now - caption.captured_at).total_seconds() for caption in fresh]
        counted = (batch.captions, batch.duplicates, batch.statuses, batch.refused)
        return IngestedBatch(messages, seconds, batch.heard, *counted, delays)

    def _seen(self, event: Caption) -> Seen:
        zones = self.places.zones_of(event.site, event.device, event.stream)
        return Seen.of(event, zones=zones, local=self.places.local(event.captured_at, event.site))

    def _count(self, batch: _Batch) -> None:
        self.counts.captions += batch.captions
        self.counts.duplicates += batch.duplicates
        self.counts.statuses += batch.statuses
        self.counts.refused.update(batch.refused)
        for reason, count in batch.refused.items():
            log.warning("messages refused", extra={"reason": reason, "messages": count})


def answers(readings: Sequence[Reading]) -> Iterator[Answer]:
    """Put the acknowledgements of one batch together, as few as the contract allows."""
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
            yield Answer(site, device, Ack(stored=tuple(ids[at : at + MAX_IDS])))
    for (site, device), named in refused.items():
        yield from (Answer(site, device, Ack(refused=some)) for some in _bundles(named))


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

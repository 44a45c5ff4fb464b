"""Counts for Prometheus, in a registry of its own."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, PlatformCollector, ProcessCollector

from broker.notify.notifications import Kind
from broker.ports import IngestedBatch
from contract.errors import REASONS

MOST_DEVICES: Final = 20_000
"""Devices whose last caption is remembered, at 200 bytes each: twice what one service is made for."""

COMMIT_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""From an idle disk to a database that another process holds."""

BATCH_MESSAGES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Up to the largest batch that `mqtt.batch` allows."""

DELAY_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 86400)
"""From a device nearby to one without a network for a day, or a notification that was deferred overnight."""


class PrometheusMetrics:
    """Counts what happens while the process lives; implements `broker.ports.Meters`."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: OrderedDict[tuple[str, str], float] = OrderedDict()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        build = Info("wordcam_build", "What runs", registry=self.registry)
        build.info({"version": version("wordcam")})
        self._count_what_comes_in()
        self._count_what_goes_out()

    def _count_what_comes_in(self) -> None:
        registry = self.registry
        self._messages = Counter("wordcam_ingest_messages", "MQTT messages taken in", registry=registry)
        self._captions = Counter("wordcam_captions_stored", "Captions stored, each once", registry=registry)
        self._duplicates = Counter("wordcam_captions_duplicate", "Captions that were stored before", registry=registry)
        self._statuses = Counter("wordcam_statuses", "Statuses of devices", registry=registry)
        self._refused = Counter(
            "wordcam_ingest_refused", "MQTT messages that do not keep the contract", ["reason"], registry=registry
        )
        for reason in REASONS:
            self._refused.labels(reason)
        self._wrong_clocks = Counter(
            "wordcam_captions_wrong_clock", "Captions whose device's clock was wrong", ["reason"], registry=registry
        )
        for reason in ("future", "past"):
            self._wrong_clocks.labels(reason)
        self._batch = Histogram(
            "wordcam_ingest_batch_messages", "MQTT messages in a batch", buckets=BATCH_MESSAGES, registry=registry
        )
        self._commit = Histogram(
            "wordcam_ingest_commit_seconds",
            "Time to judge and store a batch, until it is on the disk",
            buckets=COMMIT_SECONDS,
            registry=registry,
        )
        self._delay = Histogram(
            "wordcam_caption_delay_seconds",
            "From the camera to the disk: the clocks of both count",
            buckets=DELAY_SECONDS,
            registry=registry,
        )

    def _count_what_goes_out(self) -> None:
        registry = self.registry
        channel = ["channel"]
        self._attempts = Counter("wordcam_text_attempts", "Attempts to send a text", channel, registry=registry)
        self._failures = Counter(
            "wordcam_text_failures", "Attempts that failed, and how", ["channel", "how"], registry=registry
        )
        self._sent = Counter("wordcam_texts_sent", "Texts that a gateway took", ["channel", "kind"], registry=registry)
        self._dead = Counter("wordcam_texts_given_up", "Texts that are dead", channel, registry=registry)
        self._text_delay = Histogram(
            "wordcam_text_delay_seconds",
            "From the moment a text was due until a gateway took it",
            channel,
            buckets=DELAY_SECONDS,
            registry=registry,
        )
        self._translations = Counter(
            "wordcam_translations", "Sentences for translation services", ["result"], registry=registry
        )
        self._pings = Counter("wordcam_pings", "Signs of life", ["result"], registry=registry)
        for result in ("kept", "made", "failed", "resting"):
            self._translations.labels(result)
        for result in ("taken", "refused", "unreachable"):
            self._pings.labels(result)

    def expect(self, channel: str) -> None:
        """Show the series of a channel from the start: what has not happened yet is zero, not missing."""
        self._attempts.labels(channel)
        self._dead.labels(channel)
        self._text_delay.labels(channel)
        for kind in Kind:
            self._sent.labels(channel, kind.value)
        for how in ("rejected", "unreachable", "busy", "doubtful"):
            self._failures.labels(channel, how)

    def took_in(self, batch: IngestedBatch) -> None:
        """Count a batch."""
        self._messages.inc(batch.messages)
        self._captions.inc(batch.stored)
        self._duplicates.inc(batch.duplicates)
        self._statuses.inc(batch.statuses)
        for reason, count in batch.refused.items():
            self._refused.labels(reason).inc(count)
        for reason, count in batch.wrong_clocks.items():
            self._wrong_clocks.labels(reason).inc(count)
        self._batch.observe(batch.messages)
        self._commit.observe(batch.commit_seconds)
        for delay in batch.delays:
            self._delay.observe(max(0.0, delay))
        self._hear({(caption.site, caption.device) for caption in batch.heard})

    def attempted(self, channel: str) -> None:
        """Count an attempt to send a text message."""
        self._attempts.labels(channel).inc()

    def failed(self, channel: str, how: str) -> None:
        """Count one that failed."""
        self._failures.labels(channel, how).inc()

    def sent(self, channel: str, kind: str, *, seconds: float) -> None:
        """Count a message that the gateway took."""
        self._sent.labels(channel, kind).inc()
        self._text_delay.labels(channel).observe(max(0.0, seconds))

    def given_up(self, channel: str) -> None:
        """Count a message that is dead."""
        self._dead.labels(channel).inc()

    def translated(self, result: str) -> None:
        """Count a translation."""
        self._translations.labels(result).inc()

    def pinged(self, result: str) -> None:
        """Count a sign of life."""
        self._pings.labels(result).inc()

    def caption_ages(self) -> list[tuple[str, str, float]]:
        """Return the seconds since each device's last caption, the oldest first."""
        now = self._clock()
        with self._lock:
            return [(site, device, now - at) for (site, device), at in self._heard.items()]

    def _hear(self, places: set[tuple[str, str]]) -> None:
        now = self._clock()
        with self._lock:
            for place in places:
                self._heard[place] = now
                self._heard.move_to_end(place)
            while len(self._heard) > MOST_DEVICES:
                self._heard.popitem(last=False)

"""Gauges of the present state, read from the database at each scrape of Prometheus."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine

from broker.config.errors import Failure
from broker.config.incidents import PresenceSettings
from broker.config.section import SEVERITIES
from broker.incidents import store
from broker.incidents.incident import State
from broker.incidents.presence import detector, devices
from broker.incidents.presence.detector import Cause
from broker.monitor.health import Health
from broker.monitor.metrics import PrometheusMetrics
from broker.notify import notifications
from broker.store import captions
from broker.store.engine import reading

log = logging.getLogger(__name__)

WITHIN_SECONDS: Final = (60, 300, 3600, 86400)
"""Ages of last captions that devices are counted by: 10,000 devices are four series."""

HEALTH: Final = {Cause.GONE: "offline", Cause.QUIET: "silent"}
"""How a device is that is lost by these causes; by any other one it is blind."""

UNSENT: Final = (
    notifications.State.DEFERRED,
    notifications.State.WAITING,
    notifications.State.SENDING,
    notifications.State.DOUBT,
    notifications.State.DEAD,
)
"""What is counted: those that were sent are counted as they go."""


@dataclass(frozen=True, slots=True, eq=False)
class StateCollector(Collector):
    """Gauges that are read when they are asked for."""

    engine: Engine
    metrics: PrometheusMetrics
    health: Health
    presence: PresenceSettings
    """When a device is silent."""
    backlog: Callable[[], int]
    """How many messages wait to be ingested."""
    per_device: int = 0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def collect(self) -> Iterator[Metric]:
        """Return every gauge; those of the database are left out while it cannot be read."""
        checks = self.health.ready()
        ready = GaugeMetricFamily("wordcam_ready", "Whether the service can do its work: 1 or 0")
        ready.add_metric([], float(all(check.ok for check in checks)))
        yield ready
        each = GaugeMetricFamily("wordcam_check_ok", "Each of the checks of /readyz: 1 or 0", labels=["check"])
        for check in checks:
            each.add_metric([check.name], float(check.ok))
        yield each
        queue = GaugeMetricFamily("wordcam_ingest_queue_messages", "MQTT messages that wait to be taken in")
        queue.add_metric([], self.backlog())
        yield queue
        yield from self._ages()
        try:
            with reading(self.engine) as connection:
                found = [*self._texts(connection), *self._incidents(connection), *self._devices(connection)]
        except Failure as error:
            log.warning("metrics without the database", extra={"reason": str(error)})
        else:
            yield from found

    def _ages(self) -> Iterator[Metric]:
        ages = self.metrics.caption_ages()
        within = GaugeMetricFamily(
            "wordcam_devices_captioning",
            "Devices whose last caption was stored within so many seconds, as far as this process remembers",
            labels=["within_seconds"],
        )
        for seconds in WITHIN_SECONDS:
            within.add_metric([str(seconds)], sum(age <= seconds for _, _, age in ages))
        yield within
        if self.per_device:
            each = GaugeMetricFamily(
                "wordcam_device_caption_age_seconds", "Since the last caption of a device", labels=["site", "device"]
            )
            for site, device, age in ages[: self.per_device]:
                each.add_metric([site, device], age)
            yield each

    def _texts(self, connection: Connection) -> Iterator[Metric]:
        counted = notifications.count_unsent(connection)
        texts = GaugeMetricFamily("wordcam_texts", "Texts that were not sent, by state", labels=["state", "channel"])
        for (state, channel), count in sorted(({(state, ""): 0 for state in UNSENT} | counted).items()):
            texts.add_metric([state.value, channel], count)
        yield texts
        due_at = notifications.next_due_at(connection)
        overdue = GaugeMetricFamily("wordcam_text_overdue_seconds", "How long the text that is due longest has waited")
        overdue.add_metric([], max(0.0, (self.clock() - due_at).total_seconds()) if due_at else 0)
        yield overdue
        newest = captions.newest_at(connection)
        if newest is not None:
            age = GaugeMetricFamily("wordcam_newest_caption_age_seconds", "Since any caption was stored")
            age.add_metric([], max(0.0, (self.clock() - newest).total_seconds()))
            yield age

    def _incidents(self, connection: Connection) -> Iterator[Metric]:
        counted = Counter((one.severity, one.state.value) for one in store.now_open(connection))
        open_ = GaugeMetricFamily("wordcam_incidents_open", "Incidents that are not over", labels=["severity", "state"])
        for severity in SEVERITIES:
            for state in (State.OPEN.value, State.ACKNOWLEDGED.value):
                open_.add_metric([severity, state], counted[severity, state])
        yield open_

    def _devices(self, connection: Connection) -> Iterator[Metric]:
        now = self.clock()
        quiet, blind = (timedelta(seconds=span) for span in (self.presence.quiet_seconds, self.presence.blind_seconds))
        counted: Counter[str] = Counter({"online": devices.count(connection), "silent": 0, "offline": 0, "blind": 0})
        for known in devices.doubtful(connection, heard_before=now - quiet, seen_before=now - blind):
            outage = detector.judge(known, now=now, settings=self.presence)
            if outage is not None:
                counted[HEALTH.get(outage.cause, "blind")] += 1
                counted["online"] -= 1
        health = GaugeMetricFamily("wordcam_devices", "Devices by how they are", labels=["health"])
        for name, count in counted.items():
            health.add_metric([name], count)
        yield health

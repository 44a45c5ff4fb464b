"""Puts together what watches over one running alert service."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from broker.config.broker import Config
from broker.config.incidents import PresenceSettings
from broker.config.monitor import Monitor, Ping
from broker.monitor import health as checks
from broker.monitor import http_server, ping
from broker.monitor.collector import StateCollector
from broker.monitor.health import Health
from broker.monitor.http_server import MonitorServer
from broker.monitor.metrics import PrometheusMetrics
from broker.monitor.ping import Pinger
from broker.monitor.thread_heartbeat import ThreadHeartbeat


@dataclass(frozen=True, slots=True)
class Watched:
    """What the service shows of itself."""

    engine: Engine
    connected: Callable[[], bool]
    queue: Callable[[], int]
    heartbeats: Mapping[str, ThreadHeartbeat]


class Monitoring:
    """Works for as long as the `with` lasts; raises `Misconfigured` or `Unavailable` before anything has begun."""

    def __init__(self, config: Config, settings: Monitor, metrics: PrometheusMetrics, watched: Watched) -> None:
        engine, connected = watched.engine, watched.connected
        health = Health([lambda: checks.mqtt(connected()), lambda: checks.database(engine)], watched.heartbeats)
        self._pinger = None if settings.ping is None else pinger(settings.ping, metrics, health)
        self._endpoint: MonitorServer | None = None
        if settings.port is not None:
            presence = config.presence or PresenceSettings()
            standing = StateCollector(engine, metrics, health, presence, watched.queue, settings.per_device)
            metrics.registry.register(standing)
            self._endpoint = MonitorServer(settings.host, settings.port, http_server.pages(metrics.registry, health))
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._endpoint is not None:
            self._endpoint.start()
        if self._pinger is not None:
            # A daemon: an address that never answers holds nobody up at the end.
            self._thread = threading.Thread(target=self._pinger.run, name="ping", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pinger is not None:
            self._pinger.stop()
        if self._endpoint is not None:
            self._endpoint.stop()


def pinger(settings: Ping, metrics: PrometheusMetrics, health: Health) -> Pinger:
    """Give the one who gives signs of life; raises `Misconfigured`."""
    return Pinger(
        ping.url_of(settings),
        every_seconds=settings.every_seconds,
        timeout_seconds=settings.timeout_seconds,
        tells_failure=settings.report_failure,
        is_ready=lambda: all(check.ok for check in health.ready()),
        metrics=metrics,
    )

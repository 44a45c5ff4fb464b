"""Builds what watches one running alert service: its HTTP endpoint with metrics and health, and its ping."""

from collections.abc import Iterator
from contextlib import contextmanager

from broker.config.incidents import PresenceSettings
from broker.config.monitor import Monitor, Ping
from broker.monitor import http_server, ping
from broker.monitor.collector import StateCollector
from broker.monitor.health import Health, Watched
from broker.monitor.http_server import MonitorServer
from broker.monitor.metrics import PrometheusMetrics
from broker.monitor.ping import Pinger


@contextmanager
def listening(
    settings: Monitor, presence: PresenceSettings, metrics: PrometheusMetrics, watched: Watched, health: Health
) -> Iterator[None]:
    """Answer on the configured port, if there is one, as long as the block runs; raises `Unavailable`."""
    if settings.port is None:
        yield
        return
    state = StateCollector(watched.engine, metrics, health, presence, watched.backlog, settings.per_device)
    metrics.registry.register(state)
    server = MonitorServer(settings.host, settings.port, http_server.pages(metrics.registry, health))
    server.start()
    try:
        yield
    finally:
        server.stop()


def pinger(settings: Ping, metrics: PrometheusMetrics, health: Health) -> Pinger:
    """Return the task that pings; raises `Misconfigured`."""
    return Pinger(
        ping.url_of(settings),
        every_seconds=settings.every_seconds,
        timeout_seconds=settings.timeout_seconds,
        tells_failure=settings.report_failure,
        is_ready=lambda: all(check.ok for check in health.ready()),
        metrics=metrics,
    )

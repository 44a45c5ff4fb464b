"""Pings a URL for as long as the service is ready, so that the other side notices when it is not."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from broker.config.errors import Misconfigured
from broker.config.monitor import PING_URL, Ping
from broker.notify.call_timeout import Clogged, Deadline, Late
from broker.ports import Metrics
from foundation import secret

log = logging.getLogger(__name__)


def url_of(ping: Ping) -> str:
    """Return the URL that signs of life go to; raises `Misconfigured`, without saying what a file holds."""
    url = secret.read(ping.url_file, PING_URL, field="monitor.ping.url_file") or ping.url
    if not url:
        raise Misconfigured(f"monitor.ping.url_file: no URL; name a file that holds it, or set {PING_URL}")
    if not url.startswith(("https://", "http://")) or any(sign.isspace() for sign in url):
        raise Misconfigured("monitor.ping.url_file: what it holds is no URL; it begins with https://")
    return url


@dataclass
class Pinger:
    """One ping every few seconds. What becomes of it is counted, and has no effect on the service."""

    url: str
    """Secret: it is in no log line."""
    every_seconds: float
    timeout_seconds: float
    tells_failure: bool
    is_ready: Callable[[], bool]
    metrics: Metrics
    _deadline: Deadline = field(init=False)

    def __post_init__(self) -> None:
        # A library's limit counts from byte to byte; this one counts the whole.
        self._deadline = Deadline(self.timeout_seconds * 2)

    def step(self) -> bool:
        """Ping once, if the service is ready, or to report that it is not. Whatever happens is counted."""
        try:
            if self.is_ready():
                self._ask(self.url)
            elif self.tells_failure:
                self._ask(f"{self.url.rstrip('/')}/fail")
        except Exception:
            # This thread supervises itself: nothing else depends on it.
            log.exception("ping failed")
        return False

    def idle_seconds(self) -> float:
        """How long to wait until the next ping."""
        return self.every_seconds

    def finish(self) -> None:
        """Send nothing more."""

    def _ask(self, url: str) -> None:
        try:
            status = self._deadline.run(lambda: httpx.get(url, timeout=self.timeout_seconds).status_code)
        except (httpx.HTTPError, httpx.InvalidURL, Late, Clogged) as error:
            self.metrics.pinged("unreachable")
            log.warning("ping not accepted", extra={"reason": str(error).replace(url, "(the URL)")})
            return
        taken = httpx.codes.is_success(status)
        self.metrics.pinged("taken" if taken else "refused")
        if not taken:
            log.warning("ping not accepted", extra={"status": status})

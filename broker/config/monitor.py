"""The part `monitor` of `broker.yaml`: metrics, health checks and a heartbeat to an outside service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from broker.config.section import Section
from foundation.network_address import require_host

PING_URL: Final = "WORDCAM_PING_URL"
"""Environment variable that goes before `url` and `url_file`."""


class Ping(Section, frozen=True, kw_only=True):
    """A request at regular times to an outside service that raises an alarm when none comes. See docs/operations.md."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"tells_failure": "report_failure"}

    url: Annotated[str, Meta(pattern=r"^(https?://\S+)?$", description="an address that begins with https://")] = ""
    """Address that is requested by GET. It is a secret, because anyone who knows it can fake the heartbeat: better use
    `url_file`."""
    url_file: Path | None = None
    """File that holds the URL alone; the environment variable WORDCAM_PING_URL goes before it."""
    every_seconds: Annotated[float, Meta(ge=1, le=86400)] = 60
    timeout_seconds: Annotated[float, Meta(gt=0, le=60)] = 10
    report_failure: bool = False
    """Whether to request `/fail` below the URL while the service is not ready, as healthchecks.io defines it."""

    def __post_init__(self) -> None:
        if self.url and self.url_file is not None:
            raise ValueError("`url` and `url_file` both name the address; remove one of them")


class Monitor(Section, frozen=True, kw_only=True):
    """Metrics for Prometheus, and health checks. Without this part there are none, and nothing listens."""

    host: str = "127.0.0.1"
    """Address to listen on. There is no password: metrics hold no captions and no names of people."""
    port: Annotated[int, Meta(ge=0, le=65535)] | None = 9464
    """Port; 0 for any free one, which is logged; null for none, where only `ping` is wanted."""
    per_device: Annotated[int, Meta(ge=0, le=1000)] = 0
    """Number of devices, those with the oldest captions first, with a series of their own. Each takes memory in
    Prometheus."""
    ping: Ping | None = None

    def __post_init__(self) -> None:
        require_host(self.host)

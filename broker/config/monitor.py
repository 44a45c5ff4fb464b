"""What `broker.yaml` says of watching over the alert service itself."""

from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from broker.config.section import Section
from foundation.network_address import require_host

PING_URL: Final = "WORDCAM_PING_URL"
"""The variable that goes before `url` and `url_file`."""


class Ping(Section, frozen=True, kw_only=True):
    """A sign of life to someone else's machine, which calls when it stays away. See docs/operations.md."""

    url: Annotated[str, Meta(pattern=r"^(https?://\S+)?$", description="an address that begins with https://")] = ""
    """What is asked for with GET. Whoever knows it can feign life, so better keep it in a file."""
    url_file: Path | None = None
    """A file that holds the URL alone; the variable WORDCAM_PING_URL goes before it."""
    every_seconds: Annotated[float, Meta(ge=1, le=86400)] = 60
    timeout_seconds: Annotated[float, Meta(gt=0, le=60)] = 10
    tells_failure: bool = False
    """Whether `/fail` below the URL is asked for while the service is not ready, as healthchecks.io understands it."""

    def __post_init__(self) -> None:
        if self.url and self.url_file is not None:
            raise ValueError("`url` and `url_file` both name the address; take one of them out")


class Monitor(Section, frozen=True, kw_only=True):
    """Figures for Prometheus, and checks. Without this part there are none, and nothing listens."""

    host: str = "127.0.0.1"
    """Whoever reaches it reads the figures without a password; they hold no sentence and no name of a person."""
    port: Annotated[int, Meta(ge=0, le=65535)] | None = 9464
    """0 for any free one, which is then logged; null for none, where only `ping` is wanted."""
    per_device: Annotated[int, Meta(ge=0, le=1000)] = 0
    """So many devices, those with the oldest captions, get a series of their own. Each costs memory in Prometheus."""
    ping: Ping | None = None

    def __post_init__(self) -> None:
        require_host(self.host)

"""The part `web` of `broker.yaml`: the console's address, sessions and uploads."""

from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from broker.config.section import Section
from foundation.network_address import require_host

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")

NO_TRUSTED_PROXY: Final = (
    "web.trusted_proxies: is empty although `public_url` means that a proxy stands in front: all visitors seem to come"
    " from its address, and wrong passwords of one count against all; name the proxy, such as [127.0.0.1]"
)


class Web(Section, frozen=True, kw_only=True):
    """The console. Because users send passwords, it listens on loopback, or with TLS, or behind a proxy with TLS."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    """Port; 0 for any free one, which is logged."""
    public_url: Annotated[
        str, Meta(pattern=r"^(https?://[^/\s]+)?$", description="an address without a path, as https://wordcam.example")
    ] = ""
    """Address of the console for its users, behind a proxy: `https://wordcam.example`."""
    cert_file: Path | None = None
    """Certificate (PEM) of the console, where no proxy has one."""
    key_file: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    """IP addresses of proxies whose `X-Forwarded-For` is trusted."""
    session_hours: Annotated[float, Meta(gt=0, le=168)] = 12
    """Lifetime of a login: a shift."""
    idle_minutes: Annotated[float, Meta(gt=0, le=10080)] = 60
    """Time without a request after which a session ends; an open live page makes requests."""
    plan_bytes: Annotated[int, Meta(ge=1024, le=16_000_000)] = 2_000_000
    """Largest size of an uploaded floor plan."""

    def __post_init__(self) -> None:
        require_host(self.host)
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("`cert_file` and `key_file` come together or not at all")
        if not self.is_secure and self.host not in LOOPBACK:
            raise ValueError(
                f"`host` {self.host!r} is open to the network, where passwords would travel in the clear; name"
                " `cert_file` and `key_file`, or the https `public_url` of the proxy in front"
            )

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by https, so that cookies can be restricted to https."""
        return self.cert_file is not None or self.public_url.startswith("https://")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Settings that are valid, but probably not intended, as sentences for `check` and the log."""
        is_behind_proxy = bool(self.public_url) and self.cert_file is None
        return (NO_TRUSTED_PROXY,) if is_behind_proxy and not self.trusted_proxies else ()

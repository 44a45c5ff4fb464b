"""The part `enrolment` of `broker.yaml`: the site's authority, and where new devices find console and MQTT server."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from broker.config.section import Section
from foundation.network_address import require_host


class Enrolment(Section, frozen=True, kw_only=True):
    """How devices get their certificates. Without this part they are made by hand."""

    folder: Path
    """The authority's folder, which `wordcam-broker setup` makes; it holds a private key, and only this service reads
    it."""
    url: Annotated[str, Meta(pattern=r"^https?://[^/\s]+$", description="an address without a path")]
    """Address of the console as devices reach it."""
    mqtt_host: str
    """MQTT server as devices reach it; the name or address in its certificate."""
    mqtt_port: Annotated[int, Meta(ge=1, le=65535)] = 8883

    def __post_init__(self) -> None:
        require_host(self.mqtt_host)

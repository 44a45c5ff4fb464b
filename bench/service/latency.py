"""From a caption on the wire to its text message with the gateway, while a thousand devices talk."""

import random
import re
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.device import commands
from bench.fixtures import caption_stream, mqtt_publisher
from bench.fixtures.mqtt_server import mqtt_server
from bench.service import service_process
from testing.fake_http import Treatment
from testing.fake_twilio import ACCOUNT, SENDER, TOKEN, FakeTwilio

DEVICES: Final = 1000
PER_SECOND: Final = 100

DANGER_EVERY: Final = 50
"""Two dangers a second, each at a site that has seen none: every one of them is a new incident, and sent at once."""

PATIENCE_SECONDS: Final = 30.0

PROVIDER_SECONDS: Final = 0.05
"""Time that the provider of text messages takes to answer, as one at a distance."""

_site = re.compile(r"site-\d{5}")


def measure(seconds: int) -> dict[str, float]:
    """Return the 50th, 95th and 99th percentile in seconds, and how many were sent; raises `commands.Failed`."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mqtt_server(Path(folder)) as mqtt,
        FakeTwilio(treat=lambda: Treatment(before_seconds=PROVIDER_SECONDS)) as provider,
        mqtt_publisher.Devices(mqtt.port) as devices,
    ):
        token = Path(folder) / "token"
        token.write_text(TOKEN, encoding="utf-8")
        twilio = {
            "account_sid": ACCOUNT,
            "auth_token_file": str(token),
            "sender": SENDER,
            "base_url": provider.url,
        }
        guard = {"name": "guard", "phone": "+1 202 555 0143", "max_per_hour": 1000}
        with service_process.running(Path(folder) / "service", mqtt.port, twilio=twilio, recipients=[guard]):
            published = _talk(devices, seconds)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while len(provider.messages) < len(published) and time.monotonic() < deadline:
                time.sleep(0.05)
    taken = {found[0]: one.accepted_at for one in provider.messages if (found := _site.search(one.body))}
    if taken.keys() != published.keys():
        raise commands.Failed(f"{len(published) - len(taken)} of {len(published)} dangers were never sent")
    waits = sorted(at - published[site] for site, at in taken.items())
    ranks = {f"p{share}": waits[min(len(waits) * share // 100, len(waits) - 1)] for share in (50, 95, 99)}
    return ranks | {"told": len(waits), "captions": seconds * PER_SECOND}


def _talk(devices: mqtt_publisher.Devices, seconds: int) -> dict[str, float]:
    """Publish at an even pace, and return when the danger of each site went out."""
    chance = random.Random(7)
    published: dict[str, float] = {}
    start = time.monotonic()
    for number in range(seconds * PER_SECOND):
        danger = number % DANGER_EVERY == DANGER_EVERY // 2
        # Every danger at another site: the first device of each.
        device = len(published) * caption_stream.SITE_DEVICES % DEVICES if danger else chance.randrange(DEVICES)
        said = caption_stream.say(device, datetime.now(UTC), chance, danger=danger)
        time.sleep(max(0.0, start + number / PER_SECOND - time.monotonic()))
        if danger:
            published[said.site] = time.monotonic()
        devices.send([said])
    return published

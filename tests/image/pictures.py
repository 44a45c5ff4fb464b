"""Pictures of the console while a card becomes a device, for docs/images: `make screenshots-card`."""

import os
from pathlib import Path
from typing import Final

from PIL import Image

from tests.broker.web.chromium import chromium, login, opened
from tests.image.conftest import Site

WIDE: Final = {"width": 1280, "height": 800}


def take(site: Site, path: str, name: str) -> None:
    """Take a picture of a page, where the environment names a folder for pictures."""
    if "WORDCAM_PICTURES" not in os.environ:
        return
    to = Path(os.environ["WORDCAM_PICTURES"]) / f"console-{name}.png"
    with chromium() as browser, opened(browser, site.address, viewport=WIDE, ignore_https_errors=True) as page:
        login(page, "admin")
        page.goto(path)
        page.wait_for_timeout(2500)
        page.screenshot(path=to)
    Image.open(to).convert("RGB").quantize(256).save(to, optimize=True)

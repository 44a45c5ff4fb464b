"""A picture of a device's page in Home Assistant, taken by Chromium."""

import json
import os
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.home_assistant.installation import HomeAssistant

WIDTH, HEIGHT = 1280, 1650

OPEN_SECONDS = 25.0
"""Until the page has drawn itself: its scripts are loaded one after the other."""


def take(home: HomeAssistant, device: str, folder: Path) -> Path:
    """Open the page of the device that people see under a name, and return the file of its picture.

    The file lies in the folder, or in the one that WORDCAM_SCREENSHOTS names.
    """
    path = Path(os.environ.get("WORDCAM_SCREENSHOTS") or folder) / "home-assistant.png"
    # What its own login page keeps in the browser.
    kept = home.token | {"hassUrl": home.url, "clientId": f"{home.url}/", "expires": (time.time() + 1000) * 1000}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.add_init_script(f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(kept))})")
        page.goto(f"{home.url}/config/devices/device/{_identity(home, device)}")
        page.get_by_text("Sentence").first.wait_for(timeout=OPEN_SECONDS * 10_000)
        page.wait_for_timeout(3000)
        page.screenshot(path=str(path))
        browser.close()
    return path


def _identity(home: HomeAssistant, device: str) -> Any:
    """Return its id in the registry, which is asked for by a template."""
    entity = home.states()[f"{device} Sentence"]["entity_id"]
    rendered = home.ask("/api/template", {"template": f"{{{{ {{'id': device_id('{entity}')}} | tojson }}}}"})
    return rendered["id"]

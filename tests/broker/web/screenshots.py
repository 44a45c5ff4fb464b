"""Takes the documentation's pictures of the console, over made-up data: `make screenshots`."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.broker.web import sample
from tests.broker.web.chromium import chromium, login, opened
from tests.broker.web.serving import serving

WIDE: Final = {"width": 1280, "height": 800}
PHONE: Final = {"width": 390, "height": 844}


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture."""

    name: str
    path: str
    who: str = "admin"
    options: dict[str, Any] = field(default_factory=lambda: {"viewport": WIDE})
    korean: bool = False
    prepare: Callable[[Page], Any] = lambda page: None


def _try_rules(page: Page) -> None:
    page.check("input[value=today]")
    page.click("button.primary")
    page.wait_for_selector("#result")


SHOTS: Final = (
    Shot("live", "/"),
    Shot("live-dark", "/", options={"viewport": WIDE, "color_scheme": "dark"}),
    Shot("phone", "/", who="mina", options={"viewport": PHONE, "is_mobile": True, "has_touch": True}),
    Shot("incident", "/incidents/3"),
    Shot("devices", "/devices"),
    Shot("plots", "/plots"),
    Shot("rules", "/rules", prepare=_try_rules),
    Shot("live-ko", "/", korean=True),
    Shot(
        "phone-ko",
        "/",
        who="mina",
        korean=True,
        options={"viewport": PHONE, "is_mobile": True, "has_touch": True},
    ),
    Shot("history-ko", "/history?q=%EB%82%A8%EC%9E%90", korean=True),
    Shot(
        "phone-ko-dark",
        "/incidents/4",
        who="mina",
        korean=True,
        options={"viewport": PHONE, "is_mobile": True, "has_touch": True, "color_scheme": "dark"},
    ),
)


def take(browser: Browser, address: str, shot: Shot, folder: Path) -> Path:
    """Take one picture."""
    with opened(browser, address, **shot.options) as page:
        login(page, shot.who)
        wanted = "ko" if shot.korean else "en"
        if page.get_attribute("html", "lang") != wanted:
            page.request.post(
                "/language", form={"csrf": page.get_attribute("input[name=csrf]", "value") or "", "value": wanted}
            )
        page.goto(shot.path)
        shot.prepare(page)
        page.wait_for_timeout(2500)
        path = folder / f"console-{shot.name}.png"
        page.screenshot(path=path)
    # The pages have few colours; a palette of 256 takes a third of the bytes.
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
    return path


def main(folder: Path, only: str = "") -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wordcam-") as home:
        config = sample.fill(sample.config(Path(home)))
        with serving(config) as address, chromium() as browser:
            for shot in SHOTS:
                if only in shot.name:
                    print(take(browser, address, shot, folder), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])

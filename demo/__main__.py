"""Run the whole path on this machine: `python -m demo`."""

import argparse
import os
import signal
import sys
import tempfile
import time
import webbrowser
from pathlib import Path
from typing import Final

from demo import mqtt, screen, settings, source, summary, words
from demo.children import Children
from demo.errors import Stuck
from demo.source import Source
from demo.stage import Stage
from demo.words import Words
from edge import config
from foundation import terminal

TURN_SECONDS: Final = 0.2
"""Time between two looks at the processes."""

SETTLE_SECONDS: Final = 1.5
"""After the device's last sentence is on the server's disk, time for the last text message to be written."""

UNATTENDED_SECONDS: Final = 60.0
"""A camera never ends; where nobody can press Ctrl-C, a minute shows enough."""


def main(argv: list[str] | None = None) -> int:
    """Run the demo; returns 0, 75 (try again) or 78 (mend something)."""
    terminal.accept_every_character()
    given = _parser().parse_args(argv)
    said = words.of(given.language)
    # A request to end from outside ends the demo as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="wordcam-demo-") as folder:
            _run(Path(folder), given, said)
    except Stuck as error:
        print(f"wordcam demo: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description="The whole path on this machine.")
    looks_at = parser.add_mutually_exclusive_group()
    looks_at.add_argument("--clip", type=Path, metavar="PATH", help="look at a video file or a folder of pictures")
    looks_at.add_argument("--camera", action="store_true", help="look through this machine's camera")
    parser.add_argument("--language", choices=("en", "ko"), default="en", help="of the guard and of these lines")
    parser.add_argument("--bundle", type=Path, default=config.DEFAULT_BUNDLE, help="the model")
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument("--no-browser", action="store_true", help="open no browser with the console")
    return parser


def _run(folder: Path, given: argparse.Namespace, said: Words) -> None:
    if not (given.bundle / "manifest.json").is_file():
        raise Stuck(f"{given.bundle} holds no model bundle: name one with --bundle FOLDER")
    chosen = _choose(folder, given, said)
    screen.say(said.looks_at.format(source=chosen.name))
    screen.say(screen.quiet(said.rules))
    stage = Stage(folder, Children(folder))
    try:
        console = _start(stage, chosen, given, said)
        _look_on(stage, _deadline(given.seconds, chosen))
        time.sleep(SETTLE_SECONDS)
        if sys.stdin.isatty() and not given.seconds:
            input(screen.stress(said.stay.format(address=console)) + "\n")
    except KeyboardInterrupt:
        screen.say(f"\n{said.interrupted}")
    finally:
        stage.children.stop()
    screen.say()
    for line in summary.lines(stage.device_summary, stage.server_summary, said):
        screen.say(line)


def _choose(folder: Path, given: argparse.Namespace, said: Words) -> Source:
    if given.clip is not None:
        return source.clip(given.clip)
    return source.camera(said) if given.camera else source.rendered(folder, said)


def _start(stage: Stage, chosen: Source, given: argparse.Namespace, said: Words) -> str:
    """Start everything, and return the console's address."""
    users = settings.users()
    server = mqtt.prepare(stage.folder, users)
    mqtt_parts = {name: settings.mqtt_part(stage.folder, name, word, server.port) for name, word in users.items()}
    stage.start_mqtt(server)
    screen.say(said.mqtt.format(server=server.name, port=server.port))
    broker = settings.write_broker(stage.folder, given.language, mqtt_parts[settings.SERVER])
    login = stage.start_broker(broker, given.language)
    screen.say(said.broker)
    screen.say(screen.stress(said.console.format(address=login.address, name=login.name, password=login.password)))
    if not given.no_browser and sys.stdin.isatty() and _has_screen():
        webbrowser.open(login.address)
    screen.say(said.edge.format(model=given.bundle.name))
    screen.say(screen.stress(said.live))
    stage.start_edge(settings.write_edge(stage.folder, chosen, given.bundle, mqtt_parts[settings.DEVICE]))
    return login.address


def _has_screen() -> bool:
    """Say whether a browser would open in a window; one in this terminal would hide the demo."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _deadline(seconds: float | None, chosen: Source) -> float:
    unattended = chosen.live and not sys.stdin.isatty()
    return time.monotonic() + (seconds or (UNATTENDED_SECONDS if unattended else float("inf")))


def _look_on(stage: Stage, deadline: float) -> None:
    while time.monotonic() < deadline and stage.goes_on():
        time.sleep(TURN_SECONDS)


if __name__ == "__main__":
    sys.exit(main())

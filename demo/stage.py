"""Who plays in the demo: an MQTT server, the alert service, its watcher, and the device."""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from demo import mqtt, settings
from demo.children import Child, Children, installed
from demo.mqtt import Server
from demo.settings import Login
from demo.words import Language

TURN_SECONDS: Final = 0.1
"""Time between two looks at whether the alert service is ready."""


@dataclass
class Stage:
    """The processes, and the folder that they write to."""

    folder: Path
    children: Children
    _must_run: tuple[Child, ...] = ()
    _edge: Child | None = None

    @property
    def device_summary(self) -> Path:
        """What the device counted; written at its end."""
        return self.folder / "device.json"

    @property
    def server_summary(self) -> Path:
        """What the alert service counted; written at its end."""
        return self.folder / "server.json"

    def start_mqtt(self, server: Server) -> None:
        """Start the MQTT server and wait until it listens."""
        child = self.children.start("mqtt", *server.command)
        mqtt.wait(server.port)
        self._must_run = (child,)

    def start_broker(self, config: Path) -> None:
        """Start the alert service, and the terminal view of its captions once it has its database."""
        program = installed("wordcam-broker")
        child = self.children.start(
            "alert service",
            *(program, "run", "--config", config, "--summary", self.server_summary),
            shown=True,
            stressed=True,
        )
        while not settings.database(self.folder).exists():
            child.check()
            time.sleep(TURN_SECONDS)
        self._must_run = (*self._must_run, child)
        watch = self.children.start("watch", program, "watch", "--config", config, shown=True)
        while '"watching"' not in watch.log.read_text(encoding="utf-8"):
            watch.check()
            time.sleep(TURN_SECONDS)

    def start_console(self, config: Path, language: Language) -> Login:
        """Start the web pages, and give where they are and who may enter until the demo ends."""
        program = installed("wordcam-broker")
        login = settings.console_login(self.folder)
        self.children.start(
            "account",
            *(program, "user", "add", login.name, "--role", "administrator", "--language", language),
            *("--config", config, "--password-file", login.file),
        ).process.wait()
        child = self.children.start("console", program, "console", "--config", config)
        self._must_run = (*self._must_run, child)
        while (address := _address(child.log)) is None:
            child.check()
            time.sleep(TURN_SECONDS)
        return replace(login, address=address)

    def start_edge(self, config: Path) -> None:
        """Start the device."""
        program = installed("wordcam-edge")
        self._edge = self.children.start("device", program, "run", "--config", config, "--summary", self.device_summary)

    def goes_on(self) -> bool:
        """Say whether the device still looks; raises `Stuck` where a process has ended that should not have."""
        for child in self._must_run:
            child.check()
        if self._edge is None or self._edge.process.poll() == 0:
            return False
        self._edge.check()
        return True


def _address(log: Path) -> str | None:
    """Read from the console's log where it is; None while it does not say."""
    for line in log.read_text(encoding="utf-8").splitlines():
        if '"event": "console"' in line:
            return str(json.loads(line)["address"])
    return None

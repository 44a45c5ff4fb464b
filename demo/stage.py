"""Who plays in the demo: an MQTT server, the alert service with its console, its watcher, and the device."""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from demo import mqtt, phone, screen, settings
from demo.children import Child, Children, installed
from demo.mqtt import Server
from demo.settings import Login
from demo.words import Language

TURN_SECONDS: Final = 0.1
"""Time between two looks at whether a service is ready."""


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

    def start_broker(self, config: Path, language: Language) -> Login:
        """Start the alert service with its console, and the terminal view of its captions; return where and who may
        enter the console until the demo ends.
        """
        program = installed("wordcam-broker")
        login = settings.console_login(self.folder)
        # The first verb makes the database, which the others need.
        account = ("user", "add", login.name, "--role", "administrator", "--language", language)
        made = self.children.start("account", program, *account, "--config", config, "--password-file", login.file)
        if made.process.wait() != 0:
            made.check()
        run = ("run", "--console", "--config", config, "--summary", self.server_summary)
        service = self.children.start("alert service", program, *run, show=_messages)
        watch = self.children.start("watch", program, "watch", "--config", config, show=str)
        self._must_run = (*self._must_run, service)
        while (address := _address(service.log)) is None or '"watching"' not in watch.log.read_text(encoding="utf-8"):
            service.check()
            watch.check()
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


def _messages(printed: str) -> str:
    """Show the messages of the alert service; the console's address is said elsewhere."""
    shown = "\n".join(line for line in printed.split("\n") if not line.startswith("http://"))
    return screen.stress(phone.drawn(shown)) if shown else ""


def _address(log: Path) -> str | None:
    """Read from the log of the alert service where its console is; None while it does not say."""
    for line in log.read_text(encoding="utf-8").splitlines():
        if '"address"' in line:
            return str(json.loads(line)["address"])
    return None

"""Says to systemd, where it asks, that this process is ready, goes on, or stops (sd_notify(3))."""

import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

log = logging.getLogger(__name__)

SOCKET: Final = "NOTIFY_SOCKET"

READY: Final = "READY=1"
GOES_ON: Final = "WATCHDOG=1"
STOPS: Final = "STOPPING=1"


class ServiceManager:
    """The datagram socket of the service manager; without one, nobody asks."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get(SOCKET, "")
        # A name that begins with "@" is one of Linux's abstract ones, whose first byte is nought (unix(7)).
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def say(self, word: str) -> None:
        """Send a word; where that fails, the service manager acts as it sees fit."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
                door.sendto(word.encode(), self._address)
        except OSError as error:
            log.warning("service manager unreachable", extra={"reason": error.strerror or str(error)})
            self._address = ""

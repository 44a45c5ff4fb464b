"""A way to ports of this machine that can be closed, as if the server behind them were away."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from testing import loopback

BLOCK_BYTES: Final = 65_536


class Gate:
    """Open at first. Closed, it drops every connection, and each new one at once."""

    def __init__(self) -> None:
        self.is_open = True
        self._ways: dict[int, int] = {}
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        for one in self._sockets:
            one.close()

    def way_to(self, port: int) -> int:
        """Return the port that leads to a port of this machine."""
        if port not in self._ways:
            listener = socket.create_server((loopback.HOST, 0))
            self._ways[port] = int(listener.getsockname()[1])
            self._sockets.append(listener)
            threading.Thread(target=self._serve, args=(listener, port), daemon=True).start()
        return self._ways[port]

    def open(self) -> None:
        """Let connections through."""
        self.is_open = True

    def close(self) -> None:
        """End every connection, and let none through."""
        self.is_open = False
        for one in self._sockets:
            with suppress(OSError):  # a listener, or one that has ended
                one.shutdown(socket.SHUT_RDWR) if _is_connected(one) else None

    def _serve(self, listener: socket.socket, port: int) -> None:
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            try:
                there = socket.create_connection((loopback.HOST, port)) if self.is_open else None
            except OSError:
                there = None
            if there is None:
                here.close()
                continue
            self._sockets += [here, there]
            for source, target in ((here, there), (there, here)):
                threading.Thread(target=_forward, args=(source, target), daemon=True).start()


def _forward(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # the gate was closed
        while data := source.recv(BLOCK_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def _is_connected(one: socket.socket) -> bool:
    try:
        one.getpeername()
    except OSError:
        return False
    return True

"""A TCP relay in front of an MQTT server, to cut connections that neither side wants cut."""

import contextlib
import socket
import threading
from typing import Self

from testing.mosquitto import Mosquitto


class Gateway:
    """A running relay; devices connect to `port`."""

    def __init__(self, server: Mosquitto) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing a listening socket does not wake a thread that waits in accept(); shutting it down does.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for known in self._sockets:
            known.close()

    def cut(self) -> None:
        """Break every connection that passes through."""
        for known in self._sockets:
            # Not close(): while another thread waits in recv(), that would keep the connection alive.
            with contextlib.suppress(OSError):
                known.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                device, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection((self._server.host, self._server.port))
            self._sockets += [device, server]
            for source, sink in ((device, server), (server, device)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

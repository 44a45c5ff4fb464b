"""Keeps every packet of a network interface in a file: `python -m tests.wire.capture INTERFACE FILE`."""

import signal
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

EVERY_PROTOCOL = 3
MANY_BYTES = 64 << 20


def capture(interface: str, path: Path) -> None:
    """Write each packet with its length before it, until SIGTERM."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL)) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MANY_BYTES)
        wire.bind((interface, 0))
        with path.open("wb", buffering=0) as file:
            while True:
                packet = wire.recv(1 << 17)
                file.write(struct.pack("<I", len(packet)) + packet)


def read(path: Path) -> Iterator[bytes]:
    """Yield the packets of a file."""
    data = path.read_bytes()
    at = 0
    while at + 4 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    capture(sys.argv[1], Path(sys.argv[2]))

"""Joins its standard input and output to a TCP port of this machine: the emulator starts one for each connection.

python relay.py PORT
"""

import os
import socket
import sys
import threading


def main() -> None:
    """Relay until both sides have ended."""
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as other:

        def forward() -> None:
            while data := os.read(0, 65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

        threading.Thread(target=forward, daemon=True).start()
        while data := other.recv(65536):
            os.write(1, data)


if __name__ == "__main__":
    main()

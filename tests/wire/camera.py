"""A network camera: `python -m tests.wire.camera ADDRESS PORT` streams motion JPEG."""

import signal
import sys
import threading

from tests.edge.look.camera.mjpeg import SceneCamera

if __name__ == "__main__":
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with SceneCamera(address=(sys.argv[1], int(sys.argv[2]))):
        over.wait()

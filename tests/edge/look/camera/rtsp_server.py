"""An RTSP server of GStreamer (Debian: gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-{base,good,ugly}).

Run as a program of the system's Python, which has GStreamer: it plays a ball that moves, in H.264, until it is ended.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PYTHON: Final = "/usr/bin/python3"

_PROBE: Final = """
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
wanted = ("x264enc", "rtph264pay", "videotestsrc", "breakmydata")
missing = [name for name in wanted if Gst.ElementFactory.find(name) is None]
assert not missing, f"GStreamer has no {missing}"
"""


def missing() -> str:
    """Return why this machine cannot run it; "" where it can."""
    try:
        done = subprocess.run([PYTHON, "-c", _PROBE], capture_output=True, text=True, check=False, timeout=120)
    except OSError as error:
        return str(error)
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""


@dataclass
class RtspServer:
    """One server on a port, that can be killed and started again."""

    port: int
    password: str = ""
    """Asked by digest login of the user `viewer`, where there is one."""
    key_frame_every: int = 25
    width: int = 640
    height: int = 360
    rate: int = 25
    pattern: str = "ball"
    """What `videotestsrc` plays."""
    lost: float = 0.0
    """Share of the encoded frames that are lost on the way, 0 to 1."""
    changed: float = 0.0
    """Share of the encoded bytes that are changed on the way, 0 to 1."""
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where it streams."""
        return f"rtsp://127.0.0.1:{self.port}/stream"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        words = ["--port", self.port, "--password", self.password, "--key-frame-every", self.key_frame_every]
        words += ["--width", self.width, "--height", self.height, "--rate", self.rate]
        words += ["--pattern", self.pattern, "--lost", self.lost, "--changed", self.changed]
        program = [PYTHON, str(Path(__file__).resolve()), *map(str, words)]
        self._process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "listens\n"

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _serve(options: argparse.Namespace) -> None:
    import gi  # type: ignore[import-not-found]  # noqa: PLC0415  # the system's Python alone has it

    gi.require_version("GstRtsp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # type: ignore[import-not-found]  # noqa: PLC0415

    Gst.init(None)
    server = GstRtspServer.RTSPServer(service=str(options.port), address="127.0.0.1")
    factory = GstRtspServer.RTSPMediaFactory()
    size = f"video/x-raw,format=I420,width={options.width},height={options.height},framerate={options.rate}/1"
    factory.set_launch(
        f"( videotestsrc is-live=true pattern={options.pattern} ! {size} ! "
        "x264enc tune=zerolatency speed-preset=ultrafast "
        f"bitrate=800 key-int-max={options.key_frame_every} ! "
        f"identity drop-probability={options.lost} ! breakmydata skip=4000 probability={options.changed} ! "
        "rtph264pay name=pay0 pt=96 config-interval=1 )"
    )
    factory.set_shared(True)
    if options.password:
        auth = GstRtspServer.RTSPAuth()
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_digest("viewer", options.password, token)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        for allowed in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("viewer", allowed, True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/stream", factory)
    if server.attach(None) == 0:
        sys.exit("the port is taken")
    sys.stdout.write("listens\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("port", "key-frame-every", "width", "height", "rate"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("lost", "changed"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    parser.add_argument("--pattern", default="ball")
    parser.add_argument("--password", default="")
    _serve(parser.parse_args())

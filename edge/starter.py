"""The first `edge.yaml` of a device: commented, and made for the machine on which `wordcam-edge init` runs."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contract import topics
from contract.errors import Refused
from edge.errors import Misconfigured

if TYPE_CHECKING:
    from edge.look.camera.video_devices import VideoDevice

FIRST_CAMERA: Final = Path("/dev/video0")

_TEMPLATE: Final = """\
# A wordcam device. `wordcam-edge check` tries everything that stands here; `wordcam-edge run` starts it.
# Paths are relative to this file. A key that is not here has the default that edge/config.py gives it.

site: {site}
device: {device}
# Names: a-z, 0-9 and hyphens. The server shows captions as site/device.

camera:
{camera}
  stream: cam-0             # name of this camera among the device's
  looks_per_second: 5       # frames looked at in a second
  # rotate: 180             # degrees clockwise; `flip: horizontal` or `vertical` mirrors
  # masks: [[[0, 0], [0.3, 0], [0.3, 0.4], [0, 0.4]]]   # never seen: corners as shares of width and height
  # zones:                  # parts of the picture by name, which sentences and rules use: `wordcam-edge zones`
  #   north-door: [[0.6, 0.4], [0.9, 0.4], [0.9, 1], [0.6, 1]]
# Other cameras:
#   kind: v4l2              # a USB camera
#   device: /dev/video0
#   kind: picamera          # a Raspberry Pi's ribbon camera; see README.md on picamera2
#   kind: rtsp              # a network camera; `username` and `password_file` where it asks
#   url: rtsp://192.168.1.20/stream
#   kind: snapshot          # a network camera that gives one JPEG at a time
#   url: http://192.168.1.20/snapshot.jpg?user=me&pwd={{password}}   # {{password}}: read from `password_file`
#   kind: replay            # a film or a folder of pictures in place of a camera
#   path: film.mp4

gate:
  min_gap_seconds: 1        # least time between two captions
  overdue_seconds: 60       # a still scene is captioned again after so long
  # doubt_gap_seconds: 0.4  # time between two looks while a danger is in doubt; more for a slow device
# visits:                   # people are followed from arriving to leaving; captions say what changes
#   gap_seconds: 10         # least time between captions of what can wait: one more who comes or goes
#   stay_seconds: [10, 30, 60, 120, 300, 600]   # how long somebody has stayed when that is said
# What the camera learns of its own calm needs no key: it is kept beside the outbox as outbox.calm.json, numbers only;
# `wordcam-edge forget-calm` begins it anew.

# evidence:                 # keeps a sealed picture of each alarm on this device; without it, none is written
#   public_key: age1...     # of `wordcam-edge evidence keygen`, run elsewhere; see docs/evidence.md

outbox:
  path: {outbox}       # captions wait here until the server has stored them
  max_captions: 50000       # about 50 MB; beyond, the oldest goes, dangers last
  # max_bytes: 67108864     # the same bound in bytes

mqtt:
  host: {host}
{connection}{updates}
# metrics_file: /var/lib/prometheus/node-exporter/wordcam.prom   # for Prometheus's node_exporter
# bundle: models/mine       # a model of your own; without this line, the one that comes with wordcam
"""


_PLAIN: Final = """\
  # port: 1883              # 8883 with tls
  # username: {device}
  # password_file: mqtt.password   # a file that holds the password alone
  # home_assistant: {{}}      # entities in a Home Assistant that uses the same MQTT server
  # onvif: {{}}               # dangers and camera conditions as ONVIF events, for a video management system
  # tls: {{}}                 # encryption; an empty mapping trusts the system's authorities. Needed on any open network
  # tls:                    # `wordcam-edge enroll` makes these files
  #   ca_file: {files}/ca.crt
  #   cert_file: {files}/device.crt
  #   key_file: {files}/device.key
"""

_ENROLLED: Final = """\
  port: {port}
  tls:                      # `wordcam-edge enroll` made these files
    ca_file: {files}/ca.crt
    cert_file: {files}/device.crt
    key_file: {files}/device.key
"""

_UPDATES: Final = """\

updates:                    # takes a model that the server offers, if it is signed by whom this file names
  url: {url}
  root_file: {files}/models-root.json
"""

TLS_FOLDER: Final = "tls"
"""Beside edge.yaml: what enrolment writes."""


@dataclass(frozen=True, slots=True)
class CameraChoice:
    """A camera, as the keys of `camera` in edge.yaml and as people call it."""

    keys: dict[str, str]
    name: str
    is_present: bool = True
    """Whether it was seen on this machine, or is not to be seen from here."""


def text(  # noqa: PLR0913  # what the file says
    *,
    site: str,
    device: str,
    camera: CameraChoice,
    host: str,
    port: int | None = None,
    models_url: str = "",
    outbox: str | None = None,
) -> str:
    """Return the text of the file; with a `port`, for a device that is enrolled, and for one that takes new models.

    `outbox` is where its captions wait, if not beside the file.

    Raises `Misconfigured` for a name that the protocol does not take.
    """
    try:
        topics.topic(site, device, "caption")
    except Refused as error:
        raise Misconfigured(error.detail) from error
    # A JSON string is a YAML string, whatever signs are in it.
    lines = (f"  {key}: {value if _is_plain(value) else json.dumps(value)}" for key, value in camera.keys.items())
    updates = _UPDATES.format(url=models_url, files=TLS_FOLDER) if models_url else ""
    return _TEMPLATE.format(
        site=json.dumps(site),
        device=json.dumps(device),
        connection=(
            _PLAIN.format(device=device, files=TLS_FOLDER)
            if port is None
            else _ENROLLED.format(port=port, files=TLS_FOLDER)
        ),
        camera="\n".join(lines),
        outbox=json.dumps(outbox) if outbox else "outbox/outbox.sqlite",
        host=host if _is_plain(host) else json.dumps(host),
        updates=updates,
    )


def named(word: str) -> CameraChoice:
    """Choose the camera that someone names: `picamera`, a device, an address or a film.

    Raises `Misconfigured` where it is none of these.
    """
    from edge.look.camera import address  # noqa: PLC0415  # `send` must not load the camera

    if word == "picamera":
        return CameraChoice({"kind": "picamera"}, "the ribbon camera")
    if word.startswith(("rtsp://", "rtsps://", "http://", "https://")):
        if "@" in word.partition("//")[2].partition("/")[0]:
            raise Misconfigured(
                "--camera: leave user name and password out of the address; after `init` set `camera.username` and "
                "`camera.password_file` in edge.yaml"
            )
        return CameraChoice({"kind": "rtsp", "url": word}, address.masked(word))
    if word.startswith("/dev/"):
        return CameraChoice({"kind": "v4l2", "device": word}, word, is_present=Path(word).exists())
    if Path(word).exists():
        return CameraChoice({"kind": "replay", "path": str(Path(word).resolve())}, word)
    raise Misconfigured(
        f"--camera {word}: no such file; name a device (/dev/video0), an address (rtsp://...), `picamera`, "
        "a film or a folder of pictures"
    )


def found(devices: Iterable["VideoDevice"]) -> CameraChoice:
    """Choose a camera of this machine: a USB camera before a ribbon camera, else the usual device."""
    ribbon = None
    for device in devices:
        if not device.is_ribbon:
            return CameraChoice({"kind": "v4l2", "device": str(device.path)}, f"{device.path} ({device.card})")
        ribbon = device
    if ribbon is not None:
        return CameraChoice({"kind": "picamera"}, f"the ribbon camera ({ribbon.card})")
    return CameraChoice({"kind": "v4l2", "device": str(FIRST_CAMERA)}, str(FIRST_CAMERA), is_present=False)


def device_name(host: str) -> str:
    """Make a device's name of a host's: `Pi_01.local` becomes `pi-01`."""
    name = re.sub(r"[^a-z0-9]+", "-", host.partition(".")[0].lower()).strip("-")[:63].strip("-")
    return name or "device-1"


def _is_plain(value: str) -> bool:
    """Whether YAML reads a word as a string without quotes: a path, an address, a name with a dot or digit in it."""
    return (
        re.fullmatch(r"[a-z/][a-z0-9/._:-]*[./0-9][a-z0-9/._-]*|v4l2|picamera|rtsp|replay|localhost", value) is not None
    )

"""The device's configuration: one YAML file, read whole and strictly before anything starts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from contract.caption import Name
from foundation import yaml_file
from foundation.network_address import require_host

DEFAULT_BUNDLE: Final = Path(__file__).parent / "models" / "wordcam-1"
"""The model that comes with the package; in a clone, `edge/models` is a link to `models`."""

Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mapping of the file; a key it does not know is refused."""


class Camera(Section, frozen=True, kw_only=True):
    """What every camera has."""

    stream: Name = "cam-0"
    """Name of this camera among the device's."""
    looks_per_second: Annotated[float, Meta(gt=0, le=60)] = 5.0
    """Frames looked at in a second; five see a person pass, and leave a Raspberry Pi half idle."""


class LiveCamera(Camera, frozen=True, kw_only=True):
    """A camera that delivers frames until it is unplugged or switched off."""

    bit_rate_kbps: Positive = 2000.0
    """Bit rate of its video, in kbit/s, against which the bytes saved are counted: the one set in a network camera; for
    others, whose video is never encoded, the one it would have (2,000 is usual for 720p H.264 surveillance)."""
    timeout_seconds: Positive = 10.0
    """Time without a frame after which the camera counts as gone."""


class LocalCamera(LiveCamera, frozen=True, kw_only=True):
    """A camera on this device's own bus."""

    width: Count = 1280
    """Pixels asked of the camera, which may deliver another size."""
    height: Count = 720
    """Pixels asked of the camera, which may deliver another size."""


class V4l2(LocalCamera, frozen=True, kw_only=True, tag_field="kind", tag="v4l2"):
    """A USB or other Video4Linux camera."""

    device: Path = Path("/dev/video0")
    """Its device node."""


class PiCamera(LocalCamera, frozen=True, kw_only=True, tag_field="kind", tag="picamera"):
    """A camera on a Raspberry Pi's ribbon cable, by picamera2."""

    number: Annotated[int, Meta(ge=0)] = 0
    """Which one, where there are two."""


class Rtsp(LiveCamera, frozen=True, kw_only=True, tag_field="kind", tag="rtsp"):
    """A network camera: RTSP, or motion JPEG over HTTP."""

    url: Annotated[
        str, Meta(pattern=r"^(rtsp|rtsps|http|https)://", description="an address like rtsp://192.0.2.7/stream")
    ]
    """Where its stream is, without user name and password."""
    username: str = ""
    """For a camera that asks."""
    password_file: Path | None = None
    """A file that holds nothing but the password."""


class Replay(Camera, frozen=True, kw_only=True, tag_field="kind", tag="replay"):
    """A video file, or a folder of pictures, in place of a camera."""

    path: Path
    """The file or the folder."""
    pace: Literal["real", "fast"] = "real"
    """`real`: as fast as it was taken, leaving out frames where the device is too slow. `fast`: as fast as it goes."""
    loop: bool = False
    """Begin again at the end."""


AnyCamera = V4l2 | PiCamera | Rtsp | Replay


class Gate(Section, frozen=True, kw_only=True):
    """Which frames are worth a sentence; brightness is counted from 0 (black) to 1 (white)."""

    motion_step: Share = 0.06
    """Change of brightness at a spot that is more than a sensor's noise."""
    motion_share: Share = 0.005
    """Share of the frame that must have moved: a person ten metres away fills about a hundredth."""
    scene_change: Share = 0.08
    """Mean change of brightness against the last captioned frame that makes it another scene."""
    min_gap_seconds: Annotated[float, Meta(ge=0)] = 1.0
    """Time between two captions, whatever moves."""
    overdue_seconds: Positive = 60.0
    """Time after which even a still scene is captioned again."""
    doubt_gap_seconds: Annotated[float, Meta(ge=0)] = 0.4
    """Time between two looks while a danger is in doubt; they weigh evidence, and write no caption."""


class Crops(Section, frozen=True, kw_only=True):
    """Crops around people, at full resolution, where the bundle can judge them; lengths are shares of the frame."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"crops": "per_frame", "doubt": "min_evidence"}
    """Keys of version 0.1.0, read for one release."""

    per_frame: Annotated[int, Meta(ge=0, le=8)] = 2
    """Crops of one frame at most, the most promising first; 0 for none."""
    min_score: Share = 0.3
    """Surest detection that a crop must hold; the bundle never gives boxes below its own threshold."""
    max_share: Share = 0.6
    """Largest side of a crop: a larger one shows little more than the frame did."""
    margin: Annotated[float, Meta(ge=0, le=4)] = 0.5
    """Added to a person's longer side, as a share of it: what a hand holds reaches out of the box."""
    min_evidence: Share = 0.0
    """Evidence of the whole frame for any danger from which crops are examined."""


class OutboxSettings(Section, frozen=True, kw_only=True):
    """Where captions wait for the server."""

    path: Path
    """The SQLite file; `look` writes it and `send` empties it."""
    max_captions: Count = 50_000
    """Captions kept, about 50 MB; beyond, the oldest goes and is counted."""


class Tls(Section, frozen=True, kw_only=True):
    """Encryption; an empty mapping trusts the system's certificate authorities."""

    ca_file: Path | None = None
    """Certificates (PEM) of the authority that signed the server's."""
    cert_file: Path | None = None
    """This device's certificate (PEM), where the server asks for one."""
    key_file: Path | None = None
    """Its private key (PEM)."""


class Mqtt(Section, frozen=True, kw_only=True):
    """The MQTT server, which must speak MQTT 5."""

    host: str
    """Its name or address."""
    port: Port | None = None
    """Its port; 8883 with TLS and 1883 without, unless given."""
    username: str = ""
    """For a server that asks; the environment variable WORDCAM_MQTT_USERNAME goes first."""
    password_file: Path | None = None
    """A file that holds nothing but the password; the environment variable WORDCAM_MQTT_PASSWORD goes first."""
    tls: Tls | None = None
    """Encryption; without it, captions and password can be read on the way."""
    keepalive_seconds: Annotated[int, Meta(ge=5, le=3600)] = 30
    """Silence after which the server is asked whether it is there, and after 1.5 times of which it tells the will."""
    first_retry_seconds: Positive = 1.0
    """Wait before the second attempt to connect; each further one waits twice as long, less up to half by chance."""
    max_retry_seconds: Positive = 60.0
    """The longest wait."""
    resend_seconds: Positive = 30.0
    """Time without acknowledgement after which a caption is sent again; it doubles with each repeat."""
    status_seconds: Positive = 60.0
    """Time between two heartbeats."""

    def __post_init__(self) -> None:
        require_host(self.host)


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"closer": "crops"}
    """Keys of version 0.1.0, read for one release."""

    site: Name
    """Where this device is: `north-gate`."""
    device: Name
    """Its name at that site: `pi-01`."""
    bundle: Path = DEFAULT_BUNDLE
    """Folder of the model bundle; the one that comes with the package, unless given."""
    camera: AnyCamera
    """What it looks through."""
    outbox: OutboxSettings
    """Where captions wait."""
    mqtt: Mqtt
    """Where they go."""
    gate: Gate = Gate()
    """Which frames are worth a sentence."""
    crops: Crops = Crops()
    """Whether people are looked at again, larger."""
    threads: Annotated[int, Meta(ge=1, le=16)] = 2
    """Processor cores that inference may use."""


def load(path: Path) -> Config:
    """Read a configuration; its relative paths start at the file's folder.

    Raises `Misconfigured` naming the file, the key and what would be right.
    """
    return yaml_file.load(path, Config)

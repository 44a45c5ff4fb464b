"""The device's configuration: one YAML file, read whole and strictly before anything starts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import msgspec
from msgspec import Meta

from contract.caption import Name
from edge import polygon
from edge.errors import Misconfigured
from foundation import yaml_file
from foundation.network_address import require_host

DEFAULT_BUNDLE: Final = Path(__file__).parent / "models" / "wordcam-1"
"""The model that comes with the package; in a clone, `edge/models` is a link to `models`."""

Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
Polygon = Annotated[tuple[tuple[Share, Share], ...], Meta(min_length=3, max_length=32)]
"""Corners of an area as shares of the picture's width and height, from the upper left."""
Port = Annotated[int, Meta(ge=1, le=65535)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file."""


class Camera(Section, frozen=True, kw_only=True):
    """Settings of every camera."""

    stream: Name = "cam-0"
    """Name of this camera, unique on this device."""
    looks_per_second: Annotated[float, Meta(gt=0, le=60)] = 5.0
    """Frames examined per second; five are enough to see a person pass, and leave a Raspberry Pi half idle."""
    max_side: Annotated[int, Meta(ge=320, le=16_384)] = 1920
    """Pixels of the longer side to which larger pictures are shrunk: people far away lose detail, but a frame of 4K
    takes 25 MB, and several are kept."""
    rotate: Literal[0, 90, 180, 270] = 0
    """Degrees that its pictures are turned clockwise."""
    flip: Literal["none", "horizontal", "vertical"] = "none"
    """`horizontal` swaps left and right, `vertical` top and bottom, after `rotate`."""
    masks: tuple[Polygon, ...] = ()
    """Privacy masks, on the picture as turned and mirrored: painted black before anything sees the picture."""
    zones: Annotated[dict[Name, Polygon], Meta(max_length=16)] = {}
    """Parts of the picture as turned and mirrored, by the names that sentences and rules use: `north-door`. Someone is
    in a zone while their feet are."""

    @property
    def keeps_pixels(self) -> bool:
        """Whether its pictures stay as they are, but for their size."""
        return not (self.rotate or self.masks) and self.flip == "none"

    def __post_init__(self) -> None:
        areas = [(f"`zones.{name}`", area) for name, area in self.zones.items()]
        areas += [(f"`masks[{number}]`", area) for number, area in enumerate(self.masks)]
        for where, corners in areas:
            if problem := polygon.problem(corners):
                raise ValueError(f"{where}: {problem}")


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
    """Index of the camera, from 0."""


class Rtsp(LiveCamera, frozen=True, kw_only=True, tag_field="kind", tag="rtsp"):
    """A network camera: RTSP, or motion JPEG over HTTP."""

    url: Annotated[
        str, Meta(pattern=r"^(rtsp|rtsps|http|https)://", description="an address like rtsp://192.0.2.7/stream")
    ]
    """Address of its stream, without user name and password; `{password}` in it stands for the password."""
    username: str = ""
    """User name, where the camera asks for one."""
    password_file: Path | None = None
    """File that holds the password alone; the environment variable WORDCAM_CAMERA_PASSWORD goes before it."""
    decode: Literal["auto", "all", "key_frames"] = "auto"
    """`key_frames`: only those frames that need no others, one of 25 in many streams. `auto`: these where they come as
    often as the camera is looked at, and while this device is too slow for all."""
    hardware_decoding: Literal["off", "auto", "v4l2m2m", "cuda", "vaapi", "qsv"] = "off"
    """What decodes beside the processor, which does it where that cannot be used. `auto` tries what is there. Not tried
    on any such hardware yet."""


class Snapshot(LiveCamera, frozen=True, kw_only=True, tag_field="kind", tag="snapshot"):
    """A network camera that gives one JPEG at a time over HTTP."""

    url: Annotated[str, Meta(pattern=r"^https?://", description="an address like http://192.0.2.7/snapshot.jpg")]
    """Address of its picture, without user name and password; `{password}` in it stands for the password."""
    username: str = ""
    """User name, where the camera asks for one."""
    password_file: Path | None = None
    """File that holds the password alone; the environment variable WORDCAM_CAMERA_PASSWORD goes before it."""


class Replay(Camera, frozen=True, kw_only=True, tag_field="kind", tag="replay"):
    """A video file, or a folder of images, in place of a camera."""

    path: Path
    """The file or the folder."""
    pace: Literal["real", "fast"] = "real"
    """`real`: at the speed at which it was recorded, skipping frames where the device is too slow. `fast`: every
    frame, as fast as the device can."""
    loop: bool = False
    """Start again at the end."""


NetworkCamera = Rtsp | Snapshot
"""Cameras whose pictures come over the network, to a process of their own."""

AnyCamera = V4l2 | PiCamera | Rtsp | Snapshot | Replay


class Gate(Section, frozen=True, kw_only=True):
    """Which frames are captioned; brightness is from 0 (black) to 1 (white)."""

    motion_step: Share = 0.06
    """Change of brightness of a pixel that counts as motion rather than as noise of the sensor."""
    motion_share: Share = 0.005
    """Share of the frame in motion from which it is captioned: a person ten metres away fills about a hundredth."""
    scene_change: Share = 0.08
    """Mean change of brightness since the last captioned frame from which the scene counts as changed."""
    min_gap_seconds: Annotated[float, Meta(ge=0)] = 1.0
    """Least time between two captions."""
    overdue_seconds: Positive = 60.0
    """Time after which a still scene is captioned again."""
    doubt_gap_seconds: Annotated[float, Meta(ge=0)] = 0.4
    """Time between two looks while a danger is in doubt; they weigh evidence, and write no caption."""


class Crops(Section, frozen=True, kw_only=True):
    """Crops around people, at full resolution, where the bundle can judge them; lengths are shares of the frame."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"crops": "per_frame", "doubt": "min_evidence"}
    """Keys of version 0.1.0, read for one release."""

    per_frame: Annotated[int, Meta(ge=0, le=8)] = 2
    """Crops of one frame at most, the most promising first; 0 for none."""
    min_score: Share = 0.3
    """Least score of the best detection in a crop; the bundle reports no boxes below its own threshold."""
    max_share: Share = 0.6
    """Largest side of a crop: a larger one shows little more than the frame does."""
    margin: Annotated[float, Meta(ge=0, le=4)] = 0.5
    """Added to the longer side of a person's box, as a share of it: what a hand holds reaches out of the box."""
    min_evidence: Share = 0.0
    """Evidence of the whole frame for any danger from which crops are examined."""


class Visits(Section, frozen=True, kw_only=True):
    """How people are followed from arriving to leaving, where the bundle finds people."""

    enabled: bool = True
    """Without it, captions are written at every motion, as up to version 0.1."""
    look_gap_seconds: Annotated[float, Meta(ge=0.1, le=5)] = 0.5
    """Time between two looks at people who move: more saves processor time, and confuses people who cross."""
    gap_seconds: Annotated[float, Meta(ge=0)] = 10.0
    """Least time between two captions of what can wait: one more who comes or goes, or another sentence. Who comes
    first, who goes last and who enters a zone is said at once."""
    stay_seconds: Annotated[tuple[Count, ...], Meta(max_length=16)] = (10, 30, 60, 120, 300, 600)
    """How long a visit, and a time in a zone, has lasted when that is said; after the last, each time as long again."""


class Cooling(Section, frozen=True, kw_only=True):
    """How a live camera is looked at while the device is hot or has too much to do: less often, evenly between both
    limits."""

    slow_celsius: float = 75.0
    """Temperature of the hottest sensor from which fewer frames are looked at."""
    slowest_celsius: float = 84.0
    """Temperature from which it is `least_looks_per_second`."""
    slow_load_per_core: Positive = 2.0
    """Processes that run or wait to, for each processor core, from which fewer frames are looked at."""
    slowest_load_per_core: Positive = 4.0
    """Processes for each core from which it is `least_looks_per_second`."""
    least_looks_per_second: Positive = 1.0
    """Frames looked at in a second at the worst, where it is not less anyway."""

    def __post_init__(self) -> None:
        if self.slow_celsius >= self.slowest_celsius or self.slow_load_per_core >= self.slowest_load_per_core:
            raise ValueError("`slow_...` must be below `slowest_...`")


class Delegate(Section, frozen=True, kw_only=True):
    """A TFLite external delegate: a library that runs models on something other than the processor."""

    library: Annotated[str, Meta(min_length=1)]
    """Its file, by a path or as the system's loader finds it: `libedgetpu.so.1` for a Coral."""
    options: dict[str, str] = {}
    """Passed to it as they are."""
    models: tuple[Literal["encoder", "detector", "decoder_init", "decoder_step", "hazard_classifier"], ...] = (
        "encoder",
        "detector",
    )
    """Models that it is for: those that take most of the time, unless given."""


class Signal(Section, frozen=True, kw_only=True):
    """An LED and a buzzer at the device, which `wordcam-edge signal` drives; pins by Broadcom's numbers (GPIO17)."""

    led_pin: Annotated[int, Meta(ge=0, le=63)] | None = None
    """LED: steady while all is well, slow blinking without the server, fast where nothing is seen."""
    buzzer_pin: Annotated[int, Meta(ge=0, le=63)] | None = None
    """Active buzzer: beeps while a danger stands."""


class Evidence(Section, frozen=True, kw_only=True):
    """Sealed pictures of the moments of alarms, kept on this device for their owner."""

    public_key: Annotated[
        str, Meta(pattern=r"^age1[02-9ac-hj-np-z]{58}$", description="a public key like age1..., of 62 signs")
    ]
    """The owner's public key, as `wordcam-edge evidence keygen` prints it. The private key stays off the device."""
    max_bytes: Annotated[int, Meta(ge=1 << 20)] = 64 << 20
    """Bytes of all pictures of one camera; when full, the oldest go. One has 512 KiB at most."""
    keep_hours: Annotated[float, Meta(gt=0, le=8784)] = 72.0
    """Age from which a picture is deleted, while the camera is watched."""


class OutboxSettings(Section, frozen=True, kw_only=True):
    """Captions that wait for the server."""

    path: Path
    """SQLite file that `look` writes to and `send` deletes from."""
    max_captions: Count = 50_000
    """Captions kept at most, about 50 MB; when full, the oldest is deleted and counted, and dangers go last."""
    max_bytes: Annotated[int, Meta(ge=65_536)] = 64 << 20
    """Bytes of captions kept at most; the file is about a third larger."""


class Tls(Section, frozen=True, kw_only=True):
    """Encryption. An empty mapping trusts the certificate authorities of the system."""

    ca_file: Path | None = None
    """Certificates (PEM) of the authority that signed the certificate of the server."""
    cert_file: Path | None = None
    """Certificate (PEM) of this device, where the server asks for one."""
    key_file: Path | None = None
    """Private key (PEM) of that certificate."""


class HomeAssistant(Section, frozen=True, kw_only=True):
    """Entities in a Home Assistant on the same MQTT server."""

    discovery_prefix: Annotated[str, Meta(pattern=r"^[^+#\s]+$", description="a topic without wildcards")] = (
        "homeassistant"
    )
    """As set in Home Assistant's MQTT integration."""
    dangers: tuple[Name, ...] = ("gun", "weapon", "knife", "fire", "smoke", "fight", "falling", "fallen")
    """Dangers that become binary sensors and events, in the words of the model."""
    arming: bool = False
    """Let Home Assistant disarm the device, which then neither writes captions nor looks for dangers. The server must
    know this device by a login, and let Home Assistant's user alone write the switch's topic."""


class Onvif(Section, frozen=True, kw_only=True):
    """ONVIF events as JSON over MQTT, for a video management system on the same server."""

    topic_prefix: Annotated[str, Meta(pattern=r"^[^+#\s]*$", description="a topic without wildcards")] = ""
    """What stands before `/onvif-ej/`; without it, `SITE/DEVICE`."""


class Mqtt(Section, frozen=True, kw_only=True):
    """MQTT server, version 5."""

    host: str
    """Host name or IP address."""
    port: Port | None = None
    """Port; without it, 8883 with TLS and 1883 otherwise."""
    username: str = ""
    """User name, where the server asks for one; the environment variable WORDCAM_MQTT_USERNAME goes before it."""
    password_file: Path | None = None
    """File that holds the password alone; the environment variable WORDCAM_MQTT_PASSWORD goes before it."""
    tls: Tls | None = None
    """Encryption; without it, captions and the password can be read on the network."""
    keepalive_seconds: Annotated[int, Meta(ge=5, le=3600)] = 30
    """Time without traffic after which the device pings the server; after 1.5 times as long the server publishes the
    will (MQTT 5, section 3.1.2.10)."""
    first_retry_seconds: Positive = 1.0
    """Wait before the second attempt to connect; it doubles with each further attempt, minus up to half at random."""
    max_retry_seconds: Positive = 60.0
    """Longest wait between two attempts to connect."""
    resend_seconds: Positive = 30.0
    """Time without acknowledgement after which a caption is sent again; it doubles with each repetition."""
    status_seconds: Positive = 60.0
    """Time between two heartbeats."""
    max_bytes_per_hour: Annotated[int, Meta(ge=65_536)] = 4 << 20
    """Bytes of captions sent in an hour, and as many at once after a quieter time; one has about 600. It bounds what a
    process that was taken over could say, and serves a caption every half second."""
    home_assistant: HomeAssistant | None = None
    """Describe this device to a Home Assistant on the same server; without it, nothing is published there."""
    onvif: Onvif | None = None
    """Publish dangers and camera conditions as ONVIF events too; without it, none."""

    def __post_init__(self) -> None:
        require_host(self.host)


class Updates(Section, frozen=True, kw_only=True):
    """Model updates from the server's repository."""

    url: Annotated[str, Meta(pattern=r"^https?://\S+$", description="an address like https://server:8443/models")]
    """Address of the repository. The certificates of `mqtt.tls` serve it, too."""
    root_file: Path
    """Root of the repository's signatures, as enrolment writes it: whom to believe, and no other."""
    device_class: Name = "standard"
    """Which packages this device takes."""
    folder: Path | None = None
    """Where bundles of updates are kept; without it, `models` beside the outbox."""


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    OLD_KEYS: ClassVar[Mapping[str, str]] = {"closer": "crops"}
    """Keys of version 0.1.0, read for one release."""

    site: Name
    """Name of the place where this device is: `north-gate`."""
    device: Name
    """Its name at that site: `pi-01`."""
    bundle: Path = DEFAULT_BUNDLE
    """Folder of the model bundle; the one that comes with the package, unless given."""
    single: AnyCamera | None = msgspec.field(default=None, name="camera")
    """The camera, or a replay in place of one."""
    cameras: Annotated[tuple[AnyCamera, ...], Meta(max_length=16)] = ()
    """In place of `camera`: several, each with a `stream` of its own and a process that watches it."""
    outbox: OutboxSettings
    """Captions that wait for the server."""
    mqtt: Mqtt
    """Server that captions are sent to."""
    updates: Updates | None = None
    """Model updates; without it, `bundle` is used until somebody changes it. With it, `bundle` is what the device
    begins with."""
    gate: Gate = Gate()
    """Which frames are captioned."""
    crops: Crops = Crops()
    """Whether people are looked at again, larger."""
    visits: Visits = Visits()
    """How people are followed."""
    cooling: Cooling = Cooling()
    """What is done about heat and load."""
    metrics_file: Path | None = None
    """File for Prometheus's node_exporter (textfile collector), ending in `.prom`; without it, none is written."""
    watchdog_seconds: Annotated[float, Meta(ge=1)] = 60.0
    """Time without progress after which a process hangs, and is ended to be started again; for a live camera,
    `timeout_seconds` is added."""
    max_cores: Annotated[float, Meta(gt=0, le=64)] | None = None
    """Processor cores that models may take with several cameras, all of them together; the busiest is looked at most.
    Receiving pictures, and finding out whether anything moves, goes on all the time and is not counted. Without it,
    each camera takes what it needs."""
    evidence: Evidence | None = None
    """Sealed pictures of alarms; without it, no picture is ever written."""
    signal: Signal | None = None
    """Pins of an LED and a buzzer; without it, there are none."""
    delegate: Delegate | None = None
    """What runs models beside the processor; where it cannot be used, the processor does, and a warning is logged."""
    threads: Annotated[int, Meta(ge=1, le=16)] = 2
    """Processor cores for inference."""
    allow_network: bool = False
    """Watch also where the kernel refuses to cut the process that sees off from the network; the status says so."""
    as_root: bool = False
    """Work also as root, whom no isolation holds for sure; the status says so."""

    def __post_init__(self) -> None:
        if (self.single is None) == (not self.cameras):
            raise ValueError("a device has either `camera` or `cameras`; write one of them")
        streams = [camera.stream for camera in self.cameras]
        if twice := next((name for name in streams if streams.count(name) > 1), None):
            raise ValueError(f"two of `cameras` are called {twice!r}; give each a `stream` of its own")

    @property
    def every_camera(self) -> tuple[AnyCamera, ...]:
        """Every camera; one at least."""
        return self.cameras if self.single is None else (self.single,)

    @property
    def has_several(self) -> bool:
        """Whether there is more than one camera."""
        return len(self.every_camera) > 1

    @property
    def camera(self) -> AnyCamera:
        """The only camera; raises `Misconfigured` where there are several."""
        first, *others = self.every_camera
        if others:
            names = ", ".join(camera.stream for camera in self.every_camera)
            raise Misconfigured(f"this device has several cameras ({names}); name one: --stream {first.stream}")
        return first

    def of(self, stream: str | None) -> "Config":
        """Return the configuration of one camera: the one named, or the only one; raises `Misconfigured`."""
        if stream is None:
            return msgspec.structs.replace(self, single=self.camera, cameras=())
        for camera in self.every_camera:
            if camera.stream == stream:
                return msgspec.structs.replace(self, single=camera, cameras=())
        known = [camera.stream for camera in self.every_camera]
        raise Misconfigured(f"no camera is called {stream!r}; {yaml_file.nearest(stream, known)}")


def load(path: Path) -> Config:
    """Read a configuration; its relative paths start at the file's folder.

    Raises `Misconfigured` naming the file, the key and what would be right.
    """
    return yaml_file.load(path, Config)


def parse(text: str, path: Path) -> Config:
    """Return the configuration that a text holds as the file at `path` would; raises as `load` does."""
    return yaml_file.parse(text, str(path), path.resolve().parent).convert(Config)

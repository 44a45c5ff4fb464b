"""A network camera: RTSP, or motion JPEG over HTTP."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from edge import config
from edge.errors import CameraGone
from edge.look.camera import address, video
from edge.look.camera.key_frames import Decoding, KeyFrames
from edge.look.camera.live import Grabbed, Live
from edge.look.camera.pace import Pace
from edge.look.camera.video import Decoded, Packet, Video
from foundation import secret

log = logging.getLogger(__name__)

REPORT_SECONDS: Final = 60.0
"""Time between two messages about damaged frames."""

LASTS_SECONDS: Final = 10.0
"""Damage ends at the next key frame, or after so long: some streams refresh their pictures strip by strip."""

BARREN_PACKETS: Final = 150
"""Packets without a frame after which hardware counts as unable to decode the stream."""


@dataclass(slots=True)
class Damage:
    """Frames that did not come whole, counted and logged from time to time."""

    camera: str
    clock: Callable[[], float] = time.monotonic
    frames: int = 0
    """Since the last message."""
    _until: float = field(default=float("-inf"), init=False)
    _logged_at: float = field(default=float("-inf"), init=False)
    _has_begun: bool = field(default=False, init=False)

    @property
    def lasts(self) -> bool:
        """Whether frames are made of a damaged one before."""
        return self.clock() < self._until

    def begin_anew(self) -> None:
        """A key frame came: it and those after it are made of no frame before."""
        self._until, self._has_begun = float("-inf"), True

    def note(self) -> None:
        """Count a damaged frame, but for those between connecting and the first key frame."""
        if not self._has_begun:
            return
        self.frames += 1
        now = self.clock()
        self._until = now + LASTS_SECONDS
        if now - self._logged_at >= REPORT_SECONDS:
            log.warning("damaged frames", extra={"camera": self.camera, "frames": self.frames})
            self.frames, self._logged_at = 0, now


class Stream:
    """An opened stream, decoded as far as it is needed."""

    def __init__(self, opened: Video, key_frames: KeyFrames, damage: Damage, max_side: int) -> None:
        self._video, self._key_frames, self._damage, self._max_side = opened, key_frames, damage, max_side
        self._decoding = key_frames.decoding
        self._key: Packet | None = None
        self._frame: Decoded | None = None
        self._barren = 0

    def grab(self) -> bool:
        """Take packets up to the next frame that may be looked at; False where there was none."""
        try:
            while not self._take(self._video.packet()):
                if self._barren > BARREN_PACKETS and self._video.hardware:
                    return self._leave_hardware()
        except video.Broken:
            self._damage.note()
            return False
        except video.Ended:
            return False
        return True

    def retrieve(self) -> Grabbed | None:
        """Return the frame just taken; None where it cannot be decoded."""
        frame = self._frame
        if self._key is not None:
            try:
                frame = self._video.decode_key(self._key)
            except video.Broken:
                self._damage.note()
                return None
        if frame is None:
            return None
        if self._key is not None and frame.is_corrupt:
            self._damage.note()
        return Grabbed(video.pixels(frame, self._max_side), self._damage.lasts)

    def release(self) -> None:
        """Hang up."""
        self._frame = self._key = None
        self._video.close()

    def _take(self, packet: Packet) -> bool:
        """Take one packet; return whether it makes a frame."""
        decoding = self._key_frames.take(packet.seconds, is_key=packet.is_key)
        if decoding is not self._decoding:
            log.info("decoding", extra={"camera": self._damage.camera, "reason": decoding.value})
            self._decoding = decoding
        if packet.is_key:
            self._damage.begin_anew()
        if packet.is_damaged:
            self._damage.note()
        self._frame = self._key = None
        if decoding is not Decoding.ALL:
            self._key = packet if packet.is_key else None
            return packet.is_key
        try:
            for frame in self._video.decode(packet):
                self._frame = frame
                if frame.is_corrupt:
                    self._damage.note()
        except video.Broken:
            self._damage.note()
        self._barren = 0 if self._frame is not None else self._barren + 1
        return self._frame is not None

    def _leave_hardware(self) -> bool:
        log.warning("hardware decoding given up", extra={"camera": self._damage.camera, "reason": "it gives no frame"})
        self._barren = 0
        self._video.use_software()
        return False


def open_camera(settings: config.Rtsp, pace: Pace) -> Live:
    """Connect to the stream; raises `CameraGone`, or `Misconfigured` for a user name in the address.

    A stream that ends is connected to again, for as long as a frame may be late.
    """
    password = secret.read(settings.password_file, "WORDCAM_CAMERA_PASSWORD", field="camera.password_file")
    url = address.with_password(settings.url, settings.username, password)
    connect = partial(_connect, settings, url, pace)
    return Live(
        connect(),
        address.masked(settings.url),
        pace=pace,
        bit_rate_kbps=settings.bit_rate_kbps,
        timeout_seconds=settings.timeout_seconds,
        connect=connect,
    )


def _connect(settings: config.Rtsp, url: str, pace: Pace) -> Stream:
    name = address.masked(settings.url)
    try:
        opened = _opened(url, name, settings)
    except video.NotOpened:
        raise CameraGone(  # from None: FFmpeg's own message may hold the address
            f"{name}: the camera cannot be opened; see whether it is on, and whether address, user name and password "
            "are right"
        ) from None
    return Stream(opened, KeyFrames(settings.decode, pace.period_seconds), Damage(name), settings.max_side)


def _opened(url: str, name: str, settings: config.Rtsp) -> Video:
    """Connect, decoding by hardware where that is wanted and can be; raises `NotOpened`."""
    for hardware in video.hardware_to_try(settings.hardware_decoding):
        try:
            opened = Video(url, timeout_seconds=settings.timeout_seconds, hardware=hardware)
        except video.NoHardware as error:
            log.warning("hardware decoding not used", extra={"camera": name, "reason": str(error)})
        else:
            log.info("hardware decoding", extra={"camera": name, "reason": hardware})
            return opened
    return Video(url, timeout_seconds=settings.timeout_seconds)

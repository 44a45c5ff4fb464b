"""Video decoded by FFmpeg through PyAV: a film, or the stream of a network camera.

Pixels are plain buffers, so that a process without NumPy and OpenCV can hand them on; a picture that is too large is
shrunk while it is turned into pixels, so that its own size never exists in three bytes a pixel.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

import av
from av.codec.hwaccel import HWAccel
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

Decoded = VideoFrame
"""A decoded frame, as PyAV has it: no pixels of three bytes yet."""

Pixels = memoryview
"""uint8 [H, W, 3], blue first, contiguous."""

PROTOCOLS: Final = {
    "rtsp": "rtp,tcp,tls,udp,rtsp,rtsps",
    "rtsps": "rtp,tcp,tls,udp,rtsp,rtsps",
    "http": "http,https,tcp,tls",
    "https": "http,https,tcp,tls",
    "": "file",
}
"""What FFmpeg may open for an address: a list that a camera sends in place of video cannot name a file."""

AUTO: Final = "auto"
OFF: Final = "off"
MEMORY_TO_MEMORY: Final = "v4l2m2m"
"""Decoders of the kernel's Video4Linux, as on a Raspberry Pi 4."""

DEVICES: Final = {"cuda": "/dev/nvidia0", "vaapi": "/dev/dri", "qsv": "/dev/dri", MEMORY_TO_MEMORY: "/dev/video10"}
"""Kinds of hardware that decode, and what is there where they are; `auto` tries them in this order."""


class NotOpened(Exception):
    """A source that cannot be opened; its text may hold an address, and is not to be shown."""


class Broken(Exception):
    """Data that cannot be decoded; the next may be."""


class Ended(Exception):
    """A source that gives no more data."""


class NoHardware(Exception):
    """Why hardware decodes nothing."""


class Packet:
    """Encoded data of one frame."""

    def __init__(self, packet: "av.Packet[av.VideoStream]") -> None:
        self.data = packet
        self.is_key = packet.is_keyframe
        self.is_damaged = packet.is_corrupt
        moment = packet.pts if packet.pts is not None else packet.dts
        self.seconds = None if moment is None else float(moment * packet.time_base)
        """Its time in the stream."""


class Video:
    """An opened source of video, decoded on one thread: each further one keeps frames of its own."""

    def __init__(self, source: str, *, timeout_seconds: float | None = None, hardware: str = "") -> None:
        """Open it; raises `NotOpened`, or with hardware, which is one of `DEVICES`, `NoHardware`.

        A file has no timeout.
        """
        scheme = source.partition("://")[0] if "://" in source else ""
        options = {"protocol_whitelist": PROTOCOLS.get(scheme, "file"), "rtsp_flags": "prefer_tcp", "fpsprobesize": "0"}
        try:
            self._container = av.open(
                source, "r", options=options, timeout=timeout_seconds, hwaccel=_acceleration(hardware)
            )
        except (av.FFmpegError, OSError, ValueError, RuntimeError) as error:
            if hardware:
                raise NoHardware(f"{hardware}: {type(error).__name__}") from error
            raise NotOpened(type(error).__name__) from error
        self.hardware = hardware
        """What decodes; "" for the processor."""
        try:
            self._stream = self._container.streams.video[0]
            self._codec = self._decoder(hardware)
        except IndexError as error:
            self.close()
            raise NotOpened("no video in it") from error
        except NoHardware:
            self.close()
            raise
        self._packets = self._container.demux(self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def rate(self) -> float | None:
        """Frames a second, as the source says."""
        said = self._stream.guessed_rate or self._stream.average_rate
        return float(said) if said else None

    @property
    def length(self) -> int | None:
        """Number of frames, as a file says or as its duration lets guess."""
        if self._stream.frames:
            return self._stream.frames
        micro = self._container.duration
        return None if micro is None or not self.rate else round(micro / av.time_base * self.rate)

    def packet(self) -> Packet:
        """Return the next packet; raises `Broken` and `Ended`."""
        try:
            found = next(self._packets)
        except av.error.InvalidDataError as error:
            self._packets = self._container.demux(self._stream)
            raise Broken(type(error).__name__) from error
        except (av.FFmpegError, StopIteration) as error:
            raise Ended from error
        if not found.size:
            raise Ended
        return Packet(found)

    def decode(self, packet: Packet | None) -> Iterator[Decoded]:
        """Yield the frames that a packet completes, or without one those that are left; raises `Broken`."""
        try:
            yield from self._codec.decode(None if packet is None else packet.data)
        except av.FFmpegError as error:
            raise Broken(type(error).__name__) from error

    def frames(self) -> Iterator[Decoded]:
        """Yield every frame to the end; what cannot be decoded is left out."""
        while True:
            try:
                packet = self.packet()
            except (Broken, Ended):
                break
            with suppress(Broken):
                yield from self.decode(packet)
        with suppress(Broken):
            yield from self.decode(None)

    def decode_key(self, packet: Packet) -> Decoded | None:
        """Decode a key frame alone, and have the decoder keep nothing of it; raises `Broken`."""
        try:
            frames = [*self.decode(packet), *self.decode(None)]
        finally:
            self._codec.flush_buffers()
        return frames[-1] if frames else None

    def use_software(self) -> None:
        """Decode on the processor from the next key frame on."""
        made = cast("VideoCodecContext", av.CodecContext.create(self._stream.codec_context.name, "r"))
        made.extradata, made.thread_count = self._stream.codec_context.extradata, 1
        self._codec, self.hardware = made, ""

    def close(self) -> None:
        """Let the source go."""
        self._container.close()

    def _decoder(self, hardware: str) -> VideoCodecContext:
        """Return what decodes the stream; raises `NoHardware`."""
        codec = self._stream.codec_context
        if hardware == MEMORY_TO_MEMORY:
            return _memory_to_memory(codec)
        if hardware and not codec.is_hwaccel:
            raise NoHardware(f"{hardware} decodes no {codec.name} here")
        codec.thread_count = 1
        return codec


def pixels(frame: Decoded, max_side: int) -> Pixels:
    """Turn a decoded frame into pixels, shrunk by areas where its longer side has more than so many."""
    share = min(1.0, max_side / max(frame.height, frame.width))
    width, height = max(1, round(frame.width * share)), max(1, round(frame.height * share))
    plane = frame.reformat(width, height, "bgr24", interpolation="AREA", threads=1).planes[0]
    rows, row = memoryview(plane).cast("B"), width * 3
    if plane.line_size == row:
        packed = rows[: row * height]
    else:
        packed = memoryview(b"".join(rows[at : at + row] for at in range(0, plane.line_size * height, plane.line_size)))
    return packed.cast("B", (height, width, 3))


def hardware_to_try(wanted: str) -> list[str]:
    """Return which hardware to try in turn: the one that is wanted, or where that is `auto` what seems to be there."""
    if wanted != AUTO:
        return [] if wanted == OFF else [wanted]
    return [name for name, node in DEVICES.items() if Path(node).exists()]


def _acceleration(hardware: str) -> HWAccel | None:
    if not hardware or hardware == MEMORY_TO_MEMORY:
        return None
    try:
        return HWAccel(hardware, allow_software_fallback=True)
    except (av.FFmpegError, ValueError, RuntimeError) as error:
        raise NoHardware(f"{hardware}: {error}") from error


def _memory_to_memory(codec: VideoCodecContext) -> VideoCodecContext:
    """Open the kernel's decoder in place of FFmpeg's own; raises `NoHardware`."""
    name = f"{codec.name}_{MEMORY_TO_MEMORY}"
    try:
        made = cast("VideoCodecContext", av.CodecContext.create(name, "r"))
        made.extradata, made.width, made.height = codec.extradata, codec.width, codec.height
        made.open()
    except (av.FFmpegError, OSError, ValueError) as error:
        raise NoHardware(f"{name}: {type(error).__name__}") from error
    return made

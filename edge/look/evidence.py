"""Evidence: as an alarm begins, what the camera saw where the danger is, sealed before it is written."""

import logging
from datetime import datetime
from typing import Final

from edge.evidence.sealed_folder import SealedFolder
from edge.evidence.sealing import Seal
from edge.infer import image
from edge.infer.image import Picture
from edge.look.crops import Region
from edge.look.event import Eye
from edge.look.memory.danger_memory import Belief

log = logging.getLogger(__name__)

MARGIN: Final = 1.6
"""Side of the part that is kept, by that of the region with the danger: who is around."""

LEAST_SIDE: Final = 0.3
"""Least side of that part, as a share of the frame."""

MAX_SIDE: Final = 1280
"""Pixels of its longer side, at most."""

MAX_FILE_BYTES: Final = 512 << 10
"""Bytes of its JPEG file, at most."""

_SMALLER: Final = 0.75


class Evidence:
    """Keeps sealed pictures of one camera. It holds the public key, and can open nothing that it has written."""

    def __init__(self, seal: Seal, folder: SealedFolder) -> None:
        self._seal, self._folder = seal, folder

    def keep(self, frame: Picture, belief: Belief, captured_at: datetime, eye: Eye) -> None:
        """Seal and write the part of a BGR frame where a danger is; what goes wrong is logged, and stops nothing."""
        said = f"{eye.site}/{eye.device}/{eye.stream} {captured_at.isoformat()} {belief.danger} {belief.evidence:.2f}"
        sealed = self._seal.close(with_comment(jpeg(part(frame, belief.region)), said))
        try:
            path = self._folder.add(sealed, captured_at, belief.danger, eye.stream)
        except OSError as error:
            log.warning("evidence not kept", extra={"reason": error.strerror or str(error)})
            return
        log.info("evidence kept", extra={"file": path.name, "bytes": len(sealed)})

    def expire(self, now: datetime) -> None:
        """Delete what is too old."""
        try:
            self._folder.expire(now)
        except OSError as error:
            log.warning("evidence not deleted", extra={"reason": error.strerror or str(error)})


def part(frame: Picture, region: Region | None) -> Picture:
    """Return the part of a frame around a region, without copying it; all of it without a region."""
    if region is None:
        return frame
    side = min(1.0, max(LEAST_SIDE, region.side * MARGIN))
    left, top = (min(max(0.0, start + region.side / 2 - side / 2), 1.0 - side) for start in (region.left, region.top))
    return image.cut(frame, left, top, side)


def jpeg(picture: Picture) -> bytes:
    """Return a BGR picture as a JPEG file of `MAX_FILE_BYTES` at most, smaller where it must be."""
    side = MAX_SIDE
    while len(file := image.encode_jpeg(image.shrunk(picture, side))) > MAX_FILE_BYTES:
        side = round(min(side, max(picture.shape[:2])) * _SMALLER)
    return file


def with_comment(file: bytes, text: str) -> bytes:
    """Put a comment into a JPEG file, as its first segment (ITU-T T.81, B.2.4.5)."""
    comment = text.encode()
    return file[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + file[2:]

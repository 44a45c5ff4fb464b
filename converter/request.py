"""What a conversion is given beside the export."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converter.evaluation.coco import Boxed, Captioned


@dataclass(frozen=True, slots=True)
class Request:
    """Pictures to calibrate on and to compare on, beyond those that the export names, and how it was asked for."""

    images: Path | None = None
    """A folder of pictures in place of the export's own list."""
    captioned: Sequence[Captioned] = ()
    """Validation pictures with captions."""
    boxed: Boxed | None = None
    """Validation pictures with boxes."""
    threads: int = 1
    """Threads of inference."""
    command: tuple[str, ...] = ()
    """The command line that asked for it, for the card."""

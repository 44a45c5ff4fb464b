"""One reader of bytes from outside, as the fuzzer sees it: what it accepts, what it refuses, and nothing else."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ACCEPTED: Final = ""
"""The verdict on an input that is good; any other is the reason of a refusal."""

Read = Callable[[bytes], str]
"""Returns the verdict. Anything it raises is a crash."""

NAMES_A_REASON: Final = ("reason", "exit_code")
"""Attributes of the services' errors that tell one refusal from another."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """What is thrown at, and where the throwing begins."""

    name: str
    make: Callable[[], tuple[Read, Sequence[bytes]]]
    """Builds what it needs, and gives the reader with some inputs that are good, or nearly."""
    weight: int = 10
    """Its share of all inputs: ten for what takes microseconds, one for what takes milliseconds."""


def refusing(read: Callable[[bytes], object], *errors: type[Exception]) -> Read:
    """Count the errors that a reader documents as refusals, and let all others through."""

    def verdict(data: bytes) -> str:
        try:
            read(data)
        except errors as error:
            known = (str(getattr(error, name)) for name in NAMES_A_REASON if hasattr(error, name))
            return next(known, type(error).__name__)
        return ACCEPTED

    return verdict


def of_text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """Let a reader of text read bytes, however broken they are."""
    return lambda data: read(data.decode("utf-8", errors="replace"))


def of_file(read: Callable[[Path], object], name: str) -> Callable[[bytes], object]:
    """Let a reader of a file read bytes, through one file of this name in a folder of its own."""
    path = Path(tempfile.mkdtemp(prefix="wordcam-fuzz-")) / name

    def verdict(data: bytes) -> object:
        path.write_bytes(data)
        return read(path)

    return verdict

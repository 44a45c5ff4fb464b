"""Reads the lines of a file that a verb names, or of standard input."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from broker.config.errors import Misconfigured
from foundation.errors import from_os_error


@contextlib.contextmanager
def text_lines(file: str) -> Iterator[TextIO]:
    """Open a file of lines, or standard input for `-`; raises `Misconfigured` where it cannot be read."""
    try:
        with contextlib.nullcontext(sys.stdin) if file == "-" else Path(file).open(encoding="utf-8-sig") as opened:
            yield opened
    except OSError as error:
        raise from_os_error(error, file) from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{file}: byte {error.start} is not UTF-8") from error

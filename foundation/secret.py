"""Reads a secret from an environment variable or from a file that holds nothing else."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from foundation.errors import Misconfigured, from_os_error

BOM: Final = "\ufeff"
"""What some editors put before the first character of a text file."""


def read(file: Path | None, variable: str, *, field: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the secret without a byte order mark and trailing line breaks; "" where neither source is named.

    The variable goes before the file; one that is set but empty counts as unset. Raises `Misconfigured` naming
    `field`, the dotted key of the configuration, where the file cannot be read, is empty or has several lines. No
    message holds any part of the secret.
    """
    if value := _bare(environ.get(variable, "")):
        return value
    if file is None:
        return ""
    value = text(file, field=field)
    if not value:
        raise Misconfigured(f"{field}: {file} is empty; write the secret into it, or set {variable}")
    if "\n" in value or "\r" in value:
        raise Misconfigured(f"{field}: {file} has several lines; it must hold the secret alone")
    return value


def text(file: Path, *, field: str) -> str:
    """Return what a file that holds secrets says, without a byte order mark and trailing line breaks.

    Raises `Misconfigured` naming `field`, and no part of the file.
    """
    try:
        return _bare(file.read_bytes().decode("utf-8"))
    except OSError as error:
        raise from_os_error(error, f"{field}: {file}") from error
    except UnicodeDecodeError as error:
        # The error itself holds the bytes of the file.
        raise Misconfigured(f"{field}: {file}: byte {error.start} is not UTF-8") from None


def _bare(text: str) -> str:
    return text.removeprefix(BOM).rstrip("\r\n")

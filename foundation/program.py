"""Starts a program, and names the extra to install where one of its libraries is missing."""

import importlib
import sys
from typing import Final

from foundation.errors import MISCONFIGURED

OURS: Final = frozenset({"contract", "edge", "trainer", "converter", "broker", "foundation"})
"""A module of these that is missing is a broken installation, and no extra mends it."""


def run(name: str, module: str, *, extra: str) -> None:
    """Import `module` and call its `console`; exits 78 where a library of `extra` is not installed."""
    try:
        importlib.import_module(module).console()
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if not library or library in OURS or library in sys.stdlib_module_names:
            raise
        sys.stderr.write(f"{name}: the library {library} is not installed: pip install 'wordcam[{extra}]'\n")
        sys.exit(MISCONFIGURED)

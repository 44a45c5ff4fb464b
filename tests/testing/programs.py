"""Small programs for the test of `testing.preloaded`."""

import os
import sys
import time
from pathlib import Path


def describe() -> int:
    """Print what the program was started with."""
    print(sys.argv[1:], Path.cwd(), os.environ.get("COLOUR"), sep="\n")
    print("to the log", file=sys.stderr)
    return 3


def sleep() -> None:
    """Do nothing until a signal comes."""
    time.sleep(3600)


def fail() -> None:
    """Raise."""
    raise ZeroDivisionError("division by zero")

"""The source of the whole house, for its rules: which packages there are, and which of their files are long."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

SERVICES: Final = ("contract", "foundation", "edge", "trainer", "converter", "broker")

STARTERS: Final = ("demo", "bench", "testing")
"""These may start every service, as a user would: as processes."""

THINK_AGAIN_LINES: Final = 500
"""Length of a file from which its author should look for a second concept in it; often there is none."""


def sources() -> Iterator[Path]:
    """Yield every Python file of the packages and of the tests."""
    for package in (*SERVICES, *STARTERS, "tests"):
        yield from sorted((ROOT / package).rglob("*.py"))


def long_files() -> list[str]:
    """Return a line for each file that is longer than `THINK_AGAIN_LINES`, the longest first."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    long = sorted((path for path in lengths if lengths[path] > THINK_AGAIN_LINES), key=lambda path: -lengths[path])
    return [f"{path.relative_to(ROOT)}: {lengths[path]} lines; is it one concept?" for path in long]

"""Which release this is, what it speaks and how long it is supported: the answer to `--version` of every program."""

import argparse
from datetime import date
from typing import Final

VERSION: Final = "0.2.0"
"""Version of the programs; pyproject.toml reads it here."""

PROTOCOL: Final = 1
"""Version of the MQTT messages, the number in every topic (docs/protocol.md)."""

BUNDLE_FORMAT: Final = 1
"""Version of the model bundle (docs/bundle.md)."""

RELEASED: Final = date(2026, 11, 29)
"""Day of this release, and so before any time that a clock shows rightly."""

SUPPORTED_UNTIL: Final = date(2027, 11, 30)
"""Last day on which this minor version receives security fixes: twelve months after its release (SECURITY.md)."""


def line(program: str) -> str:
    """Say on one line what runs here."""
    return (
        f"{program} {VERSION} (MQTT protocol {PROTOCOL}, bundle format {BUNDLE_FORMAT}; "
        f"security fixes until {SUPPORTED_UNTIL:%Y-%m-%d})"
    )


class _ShowVersion(argparse.Action):
    """Prints the line as it is: argparse's own action breaks it where the terminal is narrow."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(line(parser.prog))  # noqa: T201  # the answer
        parser.exit()


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add `--version` to a program."""
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show version, protocol and support period")

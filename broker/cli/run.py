"""The verb `wordcam-broker run`: the alert service."""

import argparse
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from broker.cli import console_process
from broker.cli.signals import stop_on_signal
from broker.config import broker as config_file
from broker.service import service
from foundation.errors import from_os_error


def run(arguments: argparse.Namespace) -> int:
    """Run the alert service until it is stopped."""
    config = config_file.load(arguments.config)
    with contextlib.ExitStack() as beside:

        def on_ready(stop: Callable[[], None]) -> None:
            stop_on_signal(stop)
            if arguments.console:  # only now has a new database its tables
                beside.enter_context(console_process.running(arguments.config))

        summary = service.run(config, out=sys.stdout, on_ready=on_ready)
    if arguments.summary is not None:
        _write(arguments.summary, msgspec.json.format(msgspec.json.encode(summary), indent=2))
    return 0


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data + b"\n")
    except OSError as error:
        raise from_os_error(error, f"--summary {path}") from error

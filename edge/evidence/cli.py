"""What `wordcam-edge evidence` does: make keys, list what is kept, open it."""

import argparse
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edge import config
from edge.errors import Misconfigured
from edge.evidence import sealed_folder, sealing
from edge.evidence.sealed_folder import Sealed
from edge.last_good import state_folder
from foundation.errors import from_os_error

LOCAL_CONFIG: Final = Path("edge.yaml")
SYSTEM_CONFIG: Final = Path("/etc/wordcam/edge.yaml")
SYSTEM_STATE: Final = Path("/var/lib/wordcam-look")
"""The folder that the unit of `look` has for itself (`StateDirectory=`)."""


def run(arguments: argparse.Namespace) -> int:
    """Run one act; return the exit code. Raises `Failure`."""
    act = {"keygen": _keygen, "list": _list, "open": _open}[arguments.act]
    act(arguments)
    return 0


def _keygen(arguments: argparse.Namespace) -> None:
    private, public = sealing.new_key()
    text = f"# created: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n# public key: {public}\n{private}\n"
    _write_new(arguments.to, text.encode())
    print(f"{arguments.to}: the private key; keep it off the device, and a copy where it cannot be lost")
    print("In edge.yaml of the device:", "evidence:", f"  public_key: {public}", sep="\n")


def _list(arguments: argparse.Namespace) -> None:
    """Print what is kept, the oldest first."""
    folders = [arguments.folder] if arguments.folder is not None else list(folders_of(_where(arguments.config)))
    try:
        found = sorted(entry for folder in folders for entry in sealed_folder.entries(folder))
    except OSError as error:
        remedy = "only root and the user of `look` may read it"
        raise from_os_error(error, remedy=remedy) from error
    if arguments.json:
        print(json.dumps([_fields(entry) for entry in found]))
        return
    for entry in found:
        print(f"{entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.danger}  {entry.stream}  {entry.size_bytes} B  {entry.path}")
    total = sum(entry.size_bytes for entry in found)
    print(f"{len(found)} sealed pictures, {total} B in {', '.join(map(str, folders))}")


def _open(arguments: argparse.Namespace) -> None:
    _write_new(arguments.to, sealing.open_sealed(arguments.file, arguments.key))
    print(f"{arguments.to}: opened; it shows people, and is no longer sealed")


def folders_of(path: Path, system: Path = SYSTEM_STATE) -> Iterator[Path]:
    """Return the folders of sealed files of every camera, with the units and without; raises `Misconfigured`."""
    settings = config.load(path)
    streams = [f"-{camera.stream}" for camera in settings.every_camera] if settings.has_several else [""]
    for stream in streams:
        yield state_folder.of(path, f"look{stream}", {}) / sealed_folder.FOLDER
        under_units = state_folder.of(path, f"look{stream}", {state_folder.SYSTEMD: str(system)})
        if system.is_dir():
            yield under_units / sealed_folder.FOLDER


def _fields(entry: Sealed) -> dict[str, str | int]:
    return {
        "at": entry.at.isoformat(),
        "danger": entry.danger,
        "stream": entry.stream,
        "size_bytes": entry.size_bytes,
        "path": str(entry.path),
    }


def _where(named: Path | None) -> Path:
    for path in (LOCAL_CONFIG, SYSTEM_CONFIG) if named is None else (named,):
        if path.exists():
            return path
    raise Misconfigured(f"no {named or f'{LOCAL_CONFIG} here and no {SYSTEM_CONFIG}'}; --config or --folder names it")


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, for this user alone; raises `Failure`."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise Misconfigured(f"{path}: is there already; name a new file") from error
    except OSError as error:
        raise from_os_error(error, str(path)) from error

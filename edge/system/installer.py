"""Has RAUC verify a bundle and write it into the system that does not run; says why where it does not."""

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta

from contract.system import SystemProgress, SystemReason
from edge.errors import TryAgain
from edge.system import place as places
from edge.system import slots
from edge.system.place import Place
from edge.system.slots import Record

COMPATIBLE: Final = "wordcam-arm64"
"""Kind of device, as RAUC compares it: of the bundle, and of `system.conf`."""

BUS_CONFIG: Final = Path("/usr/lib/wordcam/rauc-bus.conf")

BUS_ADDRESS: Final = "unix:path=/run/wordcam-system/bus"

SERVICE_SECONDS: Final = 600.0
"""The longest wait for the bus and for RAUC's own service, on a slow card; it ends what would never end."""

_NOBODY: Final = "DBus.Error.ServiceUnknown"
"""What `rauc install` says while the service has not come up."""

NO_KEYRING_DETAIL: Final = "the image was built without --update-cert"

_BY_WORDS: Final = (
    (re.compile(r"invalid bundle format|identifier|not a bundle", re.I), SystemReason.NOT_A_BUNDLE),
    (re.compile(r"signature verification failed|verify error", re.I), SystemReason.SIGNATURE),
    (re.compile(r"compatible mismatch", re.I), SystemReason.INCOMPATIBLE),
    (re.compile(r"input/output error|checksum|digest mismatch", re.I), SystemReason.ALTERED),
    (re.compile(r"no space|no room|larger than|too large|too small", re.I), SystemReason.NO_SPACE),
)
"""RAUC says why in words alone; the first that fits counts."""


class Info(msgspec.Struct, frozen=True):
    """What RAUC says of a bundle whose signature it has verified."""

    compatible: Annotated[str, Meta(max_length=64)]
    version: Annotated[str, Meta(max_length=48)]


class Refused(Exception):
    """RAUC does not take a bundle."""

    def __init__(self, reason: SystemReason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason, self.detail = reason, detail


class Rauc(Protocol):
    """What is asked of RAUC."""

    def info(self, bundle: Path) -> Info:
        """Verify the signature of a bundle; raises `Refused`. What it holds is verified when it is read."""

    def install(self, bundle: Path) -> None:
        """Write a bundle into the system that does not run, and make that the primary one; raises `Refused`."""


def install(place: Place, rauc: Rauc, bundle: Path, moment: datetime) -> Record | None:
    """Install a bundle; return what became of it, None where that very system runs already.

    Raises `TryAgain` while an update is on trial, `OSError` or `Misconfigured`.
    """
    card, before = place.card, place.record
    if card.is_trial or (before is not None and before.progress is SystemProgress.TRYING):
        raise TryAgain("an update is on trial; install the next one when that has ended")
    interruptions = before.interruptions if before and before.reason is SystemReason.INTERRUPTED else 0
    record = Record(progress=SystemProgress.INSTALLING, slot=card.running.other, at=moment, interruptions=interruptions)
    try:
        info = _require_acceptable(place, rauc, bundle)
        if info.version == place.version:
            return None
        record = msgspec.structs.replace(record, version=info.version)
        place.keep(record)
        rauc.install(bundle)
    except Refused as error:
        known = place.record if record.version else None  # RAUC has marked the slot meanwhile
        record = slots.refused(known or record, error.reason, error.detail, moment)
        place.keep(record)
        return record
    return place.record


def _require_acceptable(place: Place, rauc: Rauc, bundle: Path) -> Info:
    if not place.keyring.exists():
        raise Refused(SystemReason.NO_KEYRING, NO_KEYRING_DETAIL)
    info = rauc.info(bundle)
    if info.compatible != COMPATIBLE:
        raise Refused(SystemReason.INCOMPATIBLE, f"for {info.compatible}; this device is {COMPATIBLE}")
    if places.is_older(info.version, place.version):
        raise Refused(SystemReason.OLDER_SYSTEM, f"{info.version}; {place.version} runs")
    return info


def reason_of(said: str, log: str = "") -> tuple[SystemReason, str]:
    """Return why RAUC failed, and its last words, of what it wrote on its standard error and its service in its log."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    named = re.search(r"LastError: (?:Installation error: )?(.+)|Installation error: (.+)", f"{said}\n{log}")
    last = (named[1] or named[2]) if named else lines[-1] if lines else "RAUC failed without a word"
    for pattern, reason in _BY_WORDS:
        if pattern.search(last) or pattern.search(log):
            return reason, last
    return SystemReason.NOT_WRITTEN, last


@dataclass(frozen=True, slots=True)
class InstalledRauc:
    """The RAUC of this system. Its service and a message bus of its own run only while it installs."""

    config: Path = Path("/etc/rauc/system.conf")
    runtime: Path = Path("/run/wordcam-system")
    environ: Mapping[str, str] | None = None

    def info(self, bundle: Path) -> Info:
        """Ask `rauc info`."""
        done = self._run(f"--conf={self.config}", "info", "--output-format=json", str(bundle))
        if done.returncode != 0:
            raise Refused(*reason_of(done.stderr))
        return msgspec.json.decode(done.stdout, type=Info)

    def install(self, bundle: Path) -> None:
        """Ask `rauc install`, which asks the service; raises `TryAgain` where that does not start."""
        until = time.monotonic() + SERVICE_SECONDS
        with self._service() as service:
            while not self._is_installed(bundle):
                if service.poll() is not None or time.monotonic() > until:
                    raise TryAgain("RAUC's service does not start")
                time.sleep(0.5)

    def _is_installed(self, bundle: Path) -> bool:
        """Install a bundle; return whether the service was there to be asked."""
        done = self._run("install", str(bundle))
        if done.returncode != 0 and _NOBODY not in done.stderr:
            log = (self.runtime / "rauc.log").read_text(errors="replace")
            raise Refused(*reason_of(f"{done.stdout}\n{done.stderr}", log))
        return done.returncode == 0

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["rauc", *words], capture_output=True, text=True, env=self._environ, check=False)

    @property
    def _environ(self) -> dict[str, str]:
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "DBUS_SYSTEM_BUS_ADDRESS": BUS_ADDRESS} | dict(
            self.environ or {}
        )

    @contextmanager
    def _service(self) -> Iterator[subprocess.Popen[bytes]]:
        self.runtime.mkdir(parents=True, exist_ok=True)
        (self.runtime / "bus").unlink(missing_ok=True)
        bus = subprocess.Popen(["dbus-daemon", f"--config-file={BUS_CONFIG}", "--nofork", "--nopidfile"])
        try:
            _wait_for(self.runtime / "bus", bus)
            with (self.runtime / "rauc.log").open("wb") as log:
                command = ["rauc", f"--conf={self.config}", "service"]
                service = subprocess.Popen(command, env=self._environ, stderr=log, stdout=log)
            try:
                yield service
            finally:
                service.terminate()
                service.wait()
        finally:
            bus.terminate()
            bus.wait()


def _wait_for(socket: Path, bus: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SERVICE_SECONDS
    while not socket.exists():
        if bus.poll() is not None or time.monotonic() > until:
            raise TryAgain("the message bus for RAUC does not start")
        time.sleep(0.1)

"""`wordcam-edge take-settings`: takes what an owner put on the boot partition, and says there how the device does."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Final, Protocol

from contract import enrolment
from contract.enrolment import Invitation
from contract.errors import Refused
from edge import boot_partition, config
from edge.boot_partition import Settings, WifiNetwork
from edge.config import Config, NetworkCamera
from edge.errors import Failure
from edge.system.place import boot_writable
from foundation import whole_file, yaml_file
from foundation.errors import from_os_error

UNITS: Final = ("wordcam-look.service", "wordcam-send.service")

PULL: Final = "wordcam-pull.service"
"""What has to do with a network camera alone."""

CLOCK_SLACK: Final = timedelta(days=1)
"""FAT keeps the local time of the computer that wrote it."""

_ERROR: Final = "wordcam-edge enroll:"
"""How enrolment begins the line that says why it failed."""


class State(Enum):
    """How far a device is."""

    NOT_INVITED = "not-invited"
    WAITING = "waiting"
    ENROLLED = "enrolled"


SAID: Final = {
    State.NOT_INVITED: (
        "There is no invitation on this card: write it with `wordcam-edge flash`.",
        "이 카드에는 초대장이 없습니다. `wordcam-edge flash`로 기록하십시오.",
    ),
    State.WAITING: (
        "The device has its invitation and asks the server for its certificate.",
        "장치가 초대장을 받았고, 서버에 인증서를 요청하고 있습니다.",
    ),
    State.ENROLLED: (
        "The device has its certificate; it watches and sends.",
        "장치에 인증서가 발급되어 감시와 전송을 하고 있습니다.",
    ),
}


LEAST_FREE_BYTES: Final = 1 << 20
"""With less, the outbox can take nothing in."""

FULL: Final = (
    "The card is full: nothing can be kept on it. Flash it again.",
    "카드가 가득 차서 아무것도 저장할 수 없습니다. 다시 기록하십시오.",
)


class Machine(Protocol):
    """What the device must do that is not in files."""

    def writable(self) -> AbstractContextManager[None]:
        """Make the boot partition writable for a while."""

    def last_error(self) -> str:
        """Return what enrolment said last when it failed; "" where it did not."""

    def free_bytes(self, folder: Path) -> int:
        """Return how much room is left where a folder is."""

    def restart(self, *units: str) -> None:
        """Have units read their configuration again, and started."""

    def advance_clock(self, to: float) -> None:
        """Set the clock, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a device has what."""

    boot: Path = Path("/boot/firmware")
    config: Path = Path("/var/lib/wordcam-config")
    network: Path = Path("/var/lib/wordcam-network")
    enrolled: Path = Path("/run/wordcam-enroll/done")
    """There once this boot's enrolment has succeeded."""
    drop_ins: Path = Path("/run/systemd/system")

    @property
    def edge_yaml(self) -> Path:
        """The configuration in use."""
        return self.config / "edge.yaml"


def take(places: Places, machine: Machine, now: float) -> list[str]:
    """Take all that is right, leave the rest and return what is wrong with it; what was taken is erased.

    All is on the disk before it is erased from the boot partition, so that a power cut at any moment loses nothing.
    Raises `OSError`.
    """
    _advance_clock(places, machine, now)
    problems: list[str] = []
    done: list[Path] = []
    units: list[str] = []
    for path, accept in (
        (places.boot / boot_partition.SETTINGS, _take_settings),
        (places.boot / boot_partition.CONFIG, _take_config),
    ):
        if _is_erased(path):
            done.append(path)
        elif path.exists():
            try:
                units += accept(path, places)
                done.append(path)
            except Failure as error:
                problems.append(str(error))
            except OSError as error:
                # The data partition may be full or broken: the card is where an owner reads it.
                problems.append(str(from_os_error(error)))
    invitation = places.boot / boot_partition.INVITATION
    device = _invited(invitation)
    if places.enrolled.exists() and invitation.exists():
        done.append(invitation)
        units += UNITS
    elif _is_erased(invitation):
        done.append(invitation)
    if _allow_network_camera(places, problems):
        units += [PULL, UNITS[0]]
    _say(places, machine, _status(places, machine, problems, device, done), done)
    if units:
        machine.restart(*dict.fromkeys(units))
    return problems


def _take_settings(path: Path, places: Places) -> tuple[str, ...]:
    settings = yaml_file.load(path, Settings)
    if settings.camera is not None:
        _write(places.config / "enroll.env", f"CAMERA_OPTION=--camera={settings.camera}\n", mode=0o644)
    if settings.wifi is None:
        return ()
    _write(places.network / "wpa_supplicant.conf", wpa_supplicant(settings.wifi), mode=0o600)
    return ("wordcam-wifi.service",)


def _take_config(path: Path, places: Places) -> tuple[str, ...]:
    """Replace the configuration in use by one that is right; the former stays beside it."""
    config.load(path)
    if places.edge_yaml.exists():
        before = places.edge_yaml.read_text(encoding="utf-8")
        _write(places.config / "edge.yaml.before", before, mode=0o644)
    _write(places.edge_yaml, path.read_text(encoding="utf-8"), mode=0o644)
    return UNITS


def wpa_supplicant(wifi: WifiNetwork) -> str:
    """Return the configuration of wpa_supplicant for one network."""
    if not wifi.password:
        key = "key_mgmt=NONE"
    elif len(wifi.password) == 64:
        key = f"psk={wifi.password}"
    else:
        key = f'psk="{wifi.password}"\n  key_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\n  ieee80211w=1'
    return f"country={wifi.country}\nnetwork={{\n  ssid={wifi.name.encode().hex()}\n  {key}\n}}\n"


def _allow_network_camera(places: Places, problems: list[str]) -> bool:
    """Let `pull` reach the network camera that the configuration names, and nothing else; return whether that is news.

    Without the file, which lasts until the next start, `wordcam-pull` is not started.
    """
    from edge.pull import firewall  # noqa: PLC0415  # only a network camera needs it

    drop_in = places.drop_ins / f"{PULL}.d" / "camera.conf"
    try:
        settings: Config | None = config.load(places.edge_yaml) if places.edge_yaml.exists() else None
        camera = settings.every_camera[0] if settings and not settings.cameras else None
        wanted = f"{firewall.systemd(camera)}\n" if isinstance(camera, NetworkCamera) else ""
    except Failure as error:
        problems.append(str(error))
        return False
    if wanted == (drop_in.read_text(encoding="utf-8") if drop_in.exists() else ""):
        return False
    if wanted:
        drop_in.parent.mkdir(parents=True, exist_ok=True)
        drop_in.write_text(wanted, encoding="utf-8")
    else:
        drop_in.unlink()
    return True


def _advance_clock(places: Places, machine: Machine, now: float) -> None:
    """Bring a clock that no battery keeps to the time at which the card was written, at least."""
    written = [path.stat().st_mtime for path in (places.boot / boot_partition.FOLDER).iterdir() if path.is_file()]
    if written and now < max(written) - CLOCK_SLACK.total_seconds():
        machine.advance_clock(max(written))


def _invited(path: Path) -> str:
    try:
        found = enrolment.read(path.read_bytes(), Invitation)
    except (FileNotFoundError, Refused):
        return ""
    return f"{found.site}/{found.device}"


def _status(places: Places, machine: Machine, problems: list[str], device: str, done: list[Path]) -> str:
    invitation = places.boot / boot_partition.INVITATION
    if invitation.exists() and invitation not in done:
        state, error = State.WAITING, machine.last_error()
    else:
        state, error = State.ENROLLED if places.edge_yaml.exists() else State.NOT_INVITED, ""
    with suppress(Failure):  # said before, where it is one
        settings = config.load(places.edge_yaml) if places.edge_yaml.exists() else None
        device = f"{settings.site}/{settings.device}" if settings else device
    lines = [f"wordcam {device}".rstrip(), *SAID[state], *([error] if error else [])]
    if machine.free_bytes(places.config) < LEAST_FREE_BYTES:
        lines += FULL
    lines += (f"Not taken; what was before stays / 적용되지 않음, 이전 설정 유지: {problem}" for problem in problems)
    return "".join(f"{line}\n" for line in lines)


def _say(places: Places, machine: Machine, status: str, done: list[Path]) -> None:
    """Write the status where it is news, and erase what was taken."""
    path = places.boot / boot_partition.STATUS
    is_news = not path.exists() or path.read_text(encoding="utf-8", errors="replace") != status
    if not is_news and not done:
        return
    with machine.writable():
        for taken in done:
            _erase(taken)
        if is_news:
            whole_file.write(path, status)


def _is_erased(path: Path) -> bool:
    """Return whether the power failed between the two steps of `_erase`: what was in the file has been taken."""
    content = path.read_bytes() if path.exists() else b""
    return bool(content) and not any(content)


def _erase(path: Path) -> None:
    """Overwrite a file and remove it."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    whole_file.sync_folder(path.parent)


def _write(path: Path, text: str, *, mode: int) -> None:
    """Write a file whole or not at all, for the owner of its folder."""
    whole_file.write(path, text, mode=mode)
    owner = path.parent.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


class Device:
    """The machine itself, run by systemd."""

    @contextmanager
    def writable(self) -> Iterator[None]:
        """Mount the boot partition for writing, and back, where it is not writable always."""
        with boot_writable(Places().boot):
            yield

    def last_error(self) -> str:
        """Ask the journal."""
        command = ["journalctl", "--boot", "--unit", "wordcam-enroll", "--output", "cat", "--lines", "20", "--no-pager"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
        return next((line for line in reversed(said) if line.startswith(_ERROR)), "")

    def free_bytes(self, folder: Path) -> int:
        """Ask the file system."""
        return shutil.disk_usage(folder).free

    def restart(self, *units: str) -> None:
        """Without waiting: these units wait for this one."""
        subprocess.run(["systemctl", "daemon-reload"], check=False)
        subprocess.run(["systemctl", "--no-block", "restart", *units], check=False)

    def advance_clock(self, to: float) -> None:
        """Set the kernel's clock."""
        time.clock_settime(time.CLOCK_REALTIME, to)

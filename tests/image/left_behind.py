"""What a power cut leaves on a card, recovered as the next start recovers it, and whether all of it is whole."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from edge import boot_partition, config
from edge.flash import fat
from edge.image import card as layout

PATH: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

CONFIG: Final = "lib/wordcam-config"
"""On the data partition."""

CORRECTED: Final = 1
"""Exit code of e2fsck: there was something to do, and it was done."""


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A card whose power was cut, in a folder of its own."""

    folder: Path

    @classmethod
    def of(cls, card: Path, folder: Path) -> "LeftBehind":
        """Copy the partitions of a card that are written to."""
        folder.mkdir()
        parts = layout.layout()
        with card.open("rb") as file:
            for extent, name in ((parts.boot, "boot.fat"), (parts.data, "data.ext4")):
                file.seek(extent.start)
                (folder / name).write_bytes(file.read(extent.size))
        return cls(folder)

    def recover(self) -> None:
        """Do what `systemd-fsck` does at the next start."""
        data = str(self.folder / "data.ext4")
        done = subprocess.run(["e2fsck", "-p", data], capture_output=True, text=True, env=PATH, check=False)
        assert done.returncode <= CORRECTED, done.stdout
        done = subprocess.run(["e2fsck", "-fn", data], capture_output=True, text=True, env=PATH, check=False)
        assert done.returncode == 0, done.stdout

    def on_data(self, name: str) -> bytes | None:
        """Return a file of the configuration's folder; None where there is none."""
        to = self.folder / "found"
        to.unlink(missing_ok=True)
        command = ["debugfs", "-R", f"dump {CONFIG}/{name} {to}", str(self.folder / "data.ext4")]
        subprocess.run(command, capture_output=True, env=PATH, check=True)
        return to.read_bytes() if to.exists() else None

    def on_boot(self, name: str) -> bytes | None:
        """Return a file of the boot partition; None where there is none."""
        return fat.read(self.folder / "boot.fat", boot_partition.FOLDER / name)

    def require_whole(self, invitation: bytes) -> str:
        """Fail where half of something is there, or something without what it needs; return how far the device was."""
        key, certificate, settings = (self.on_data(name) for name in ("tls/device.key", "tls/device.crt", "edge.yaml"))
        if key is not None:
            public = serialization.load_pem_private_key(key, None).public_key()
        if certificate is not None:
            assert key is not None
            assert x509.load_pem_x509_certificate(certificate).public_key() == public
        if settings is not None:
            assert certificate is not None
            file = self.folder / "edge.yaml"
            file.write_bytes(settings.replace(b"/etc/wordcam", str(self.folder).encode()))
            assert config.load(file).site == "north-gate"
        kept = self.on_boot("device.enroll")
        is_erased = kept is None or not any(kept)
        assert is_erased or kept == invitation
        assert not is_erased or settings is not None, "without invitation and configuration it would never come back"
        parts = {"key": key, "certificate": certificate, "edge.yaml": settings, "no invitation": is_erased}
        return ", ".join(name for name, is_there in parts.items() if is_there) or "nothing yet"

    def remove(self) -> None:
        """Make room."""
        shutil.rmtree(self.folder)

"""Puts wordcam into an image that has cloud-init, as Raspberry Pi OS: a package, and a script that installs it."""

import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from contract import release
from edge import boot_partition
from edge.boot_partition import Mark
from edge.errors import Misconfigured
from edge.flash import bmap, fat, image_file, writer
from edge.flash.image_file import Extent
from edge.flash.progress import Progress

PACKAGE: Final = boot_partition.FOLDER / "wordcam-edge.deb"

VENDOR_DATA: Final = PurePosixPath("vendor-data")
"""Of cloud-init's NoCloud: run beside `user-data`, which Raspberry Pi Imager replaces by its customisation."""

USER_DATA: Final = PurePosixPath("user-data")
META_DATA: Final = PurePosixPath("meta-data")

SCRIPT: Final = """\
#!/bin/sh
# Installs wordcam without a network at the first start, and lets its units take what lies in /boot/firmware/wordcam.
set -e
mkdir -p /var/lib/wordcam-config /var/lib/wordcam-network
[ -e /etc/wordcam ] || ln -s /var/lib/wordcam-config /etc/wordcam
dpkg --install /boot/firmware/wordcam/wordcam-edge.deb
cp -r /usr/share/wordcam/card/. /
systemd-sysusers wordcam.conf
chown wordcam-send:wordcam /var/lib/wordcam-config
chmod 755 /var/lib/wordcam-config
chmod 700 /var/lib/wordcam-network
systemctl daemon-reload || true
systemctl enable wordcam-boot-partition wordcam-enroll wordcam-look wordcam-send
systemctl start --no-block wordcam-boot-partition wordcam-enroll || true
"""


def inject(base: Path, package: Path, to: Path, *, built_of: str) -> None:
    """Write the image `base` with wordcam in its boot partition; raises `Misconfigured` or `TryAgain`.

    The package must be for the base's Python. Where the base has a block map, that of the result covers its boot
    partition as a whole.
    """
    fat.require_tools()
    with tempfile.NamedTemporaryFile(dir=to.parent) as boot_copy:
        found = image_file.survey(base, boot_copy.file, Progress("checking the base", None))
        boot = Path(boot_copy.name)
        if fat.read(boot, USER_DATA) is None:
            raise Misconfigured(
                f"{base}: its boot partition has no user-data, so it has no cloud-init; Raspberry Pi OS has it since "
                "November 2025"
            )
        if fat.read(boot, boot_partition.MARK) is not None:
            raise Misconfigured(f"{base}: has wordcam in it already")
        mark = Mark(version=release.VERSION, base=base.name, built_of=built_of)
        files = {
            VENDOR_DATA: SCRIPT.encode(),
            PACKAGE: package.read_bytes(),
            boot_partition.MARK: msgspec.json.encode(mark),
        }
        if fat.read(boot, META_DATA) is None:
            files[META_DATA] = b"instance-id: wordcam\n"
        fat.write(boot, files)
        _write(base, boot, found.boot, to)


def _write(base: Path, boot: Path, extent: Extent, to: Path) -> None:
    draft = to.with_name(f".{to.name}")
    with image_file.opened(base) as stream, draft.open("wb") as file:
        for chunk in image_file.chunks(stream):
            if any(chunk):
                file.write(chunk)
            else:
                file.seek(len(chunk), os.SEEK_CUR)
        file.truncate(file.tell())
        file.seek(extent.start)
        with boot.open("rb") as changed:
            shutil.copyfileobj(changed, file, image_file.CHUNK_BYTES)
    draft.replace(to)
    if path := bmap.beside(base):
        mapped = [one.extent for one in bmap.read(path).ranges] + [extent]
        to.with_name(f"{to.name}.bmap").write_text(bmap.render(bmap.of(to, writer.merged(mapped))), encoding="utf-8")

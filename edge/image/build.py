"""Builds the image: each part is made once for the same inputs, and found again by their digest."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract import release
from edge import boot_partition
from edge.boot_partition import Mark
from edge.errors import Misconfigured, TryAgain
from edge.flash import bmap
from edge.image import bill, card, debian, device, imager, program, recipe, wheelhouse
from edge.image.recipe import Inputs

TOOLS: Final = {
    "mmdebstrap": "mmdebstrap",
    "dpkg-deb": "dpkg",
    "qemu-aarch64-static": "qemu-user-static",
    "mksquashfs": "squashfs-tools",
    "mke2fs": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
}
"""Programs, and Debian's packages that have them."""

DEFAULT_NAME: Final = f"wordcam-{release.VERSION}-{recipe.ARCHITECTURE}.img"

NEEDED_BYTES: Final = 3_000_000_000
"""Room for the parts that are kept, the image and what is made on the way."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Keys:
    """Digests of the inputs of each part."""

    root: str
    libraries: str
    image: str


def keys(inputs: Inputs) -> Keys:
    """Return the digest of each part; it covers the code that builds it."""
    own = Path(__file__).parent
    code = {path.stem: path.read_bytes() for path in own.glob("*.py")}
    root = recipe.digest("root", inputs.source, code["recipe"], code["foreign"], code["debian"])
    libraries = recipe.digest("libraries", root, inputs.wheels.read_bytes(), code["wheelhouse"])
    certificate = inputs.update_certificate.read_bytes() if inputs.update_certificate else b""
    image = recipe.digest(
        "image", libraries, str(inputs.epoch), recipe.digest_of_files(program.packages()), certificate
    )
    return Keys(root, libraries, image)


def system_version(inputs: Inputs, digests: Keys) -> str:
    """Return what the system calls itself: wordcam's version, the time of its files, and what it was built of."""
    return f"{release.VERSION}+{time.strftime('%Y%m%d%H%M', time.gmtime(inputs.epoch))}.{digests.image[:8]}"


def missing_tools(tools: Mapping[str, str] = TOOLS) -> dict[str, str]:
    """Return the programs that are missing here, and the packages that have them."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return {tool: package for tool, package in tools.items() if shutil.which(tool, path=path) is None}


def require(cache: Path, to: Path, tools: Mapping[str, str] = TOOLS) -> None:
    """Raise `Misconfigured` or `TryAgain` where a program or room is missing."""
    if missing := missing_tools(tools):
        packages = " ".join(dict.fromkeys(missing.values()))
        raise Misconfigured(f"missing here: {', '.join(missing)} (Debian: sudo apt install {packages})")
    for folder in (cache, to.parent):
        there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
        if shutil.disk_usage(there).free < NEEDED_BYTES:
            raise TryAgain(f"{there}: fewer than {NEEDED_BYTES / 1e9:.0f} GB are free")


def build(inputs: Inputs, cache: Path, to: Path, say: Say, *, url: str | None = None) -> None:
    """Write the image and what lies beside it; raises `Misconfigured` or `TryAgain`.

    `url` is the folder from which it will be offered; None for where it is written.
    """
    digests = keys(inputs)
    done = kept(cache / f"image-{digests.image}", lambda folder: _image(inputs, digests, cache, folder, say), say)
    to.parent.mkdir(parents=True, exist_ok=True)
    for source in sorted(done.iterdir()):
        target = to if source.name == "card.img" else to.with_name(f"{to.name}{source.name.removeprefix('card.img')}")
        _copy_sparse(source, target)
    imager.write(to, inputs.epoch, url=url)


def compress(image: Path, to: Path, epoch: int, say: Say, *, url: str | None = None) -> None:
    """Compress an image with xz, whole or not at all, and renew the manifest beside it."""
    say(f"compressing {to.name}")
    draft = to.with_name(f".{to.name}")
    with draft.open("wb") as file:
        done = subprocess.run(["xz", "-T0", "-6", "-c", str(image)], stdout=file, check=False)
    if done.returncode != 0:
        draft.unlink()
        raise TryAgain("xz failed")
    draft.replace(to)
    to.with_name(f"{to.name}.sha256").write_text(f"{_sha256(to)}  {to.name}\n", encoding="utf-8")
    imager.write(image, epoch, url=url, packed=to)


def _image(inputs: Inputs, digests: Keys, cache: Path, to: Path, say: Say) -> None:
    base = debian.load(kept(cache / f"root-{digests.root}", lambda folder: _root(inputs, folder, say), say))
    wheels = wheelhouse.fetch(inputs.wheels, cache / f"wheels-{digests.libraries}")
    libraries = kept(
        cache / f"libraries-{digests.libraries}",
        lambda folder: _libraries(base.path, wheels, folder, say),
        say,
    )
    say("installing wordcam")
    root = to / "root"
    # Links: what is kept is read and never changed.
    shutil.copytree(base.path, root, symlinks=True, copy_function=_link, ignore=_etc_of(base.path))
    shutil.copytree(base.path / "etc", root / "etc", symlinks=True)
    device.furnish(root)
    device.identify(root, system_version(inputs, digests), inputs.update_certificate)
    program.install(root, libraries, base.path)
    say("assembling the image")
    image = to / "card.img"
    block_map = card.assemble(root, image, to, epoch=inputs.epoch, mark=_mark(inputs, digests))
    shutil.rmtree(root)
    (to / "card.img.bmap").write_text(bmap.render(block_map), encoding="utf-8")
    models = [path.parent for package in program.packages() for path in sorted(package.glob("models/*/manifest.json"))]
    (to / "card.img.cdx.json").write_bytes(bill.render(base.packages, wheels, models, epoch=inputs.epoch))
    (to / "card.img.packages").write_text(bill.listing(base.packages), encoding="utf-8")
    _pack(base.licences, to / "card.img.licences.tar.gz")


def _mark(inputs: Inputs, digests: Keys) -> Mark:
    system = system_version(inputs, digests)
    return Mark(version=release.VERSION, base=boot_partition.OWN, built_of=digests.image, system=system)


def _root(inputs: Inputs, folder: Path, say: Say) -> None:
    say("fetching and unpacking Debian's packages (minutes, once)")
    debian.build(inputs, folder)


def _libraries(root: Path, wheels: list[wheelhouse.Wheel], folder: Path, say: Say) -> None:
    say("unpacking and compiling the libraries (minutes, once)")
    program.build_libraries(root, wheels, folder)


def kept(folder: Path, make: Callable[[Path], None], say: Say) -> Path:
    """Return a part that is kept, or make it, whole or not at all."""
    if folder.is_dir():
        say(f"{folder.name[:24]}: made before")
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        make(draft)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # what was not renamed is half made
    return folder


def _etc_of(root: Path) -> Callable[[str, list[str]], list[str]]:
    return lambda folder, _names: ["etc"] if Path(folder) == root else []


def _link(source: str, target: str) -> None:
    if Path(source).is_symlink():
        Path(target).symlink_to(Path(source).readlink())
    else:
        Path(target).hardlink_to(source)


def _copy_sparse(source: Path, target: Path) -> None:
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", str(source), str(target)], check=True)
    target.chmod(0o644)


def _pack(folder: Path, to: Path) -> None:
    with tarfile.open(to, "w:gz", compresslevel=6) as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, arcname=f"licences/{path.name}", filter=_of_nobody)


def _of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

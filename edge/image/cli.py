"""Runs `wordcam-edge image build`: says what it will do, and fails before it begins where something is missing."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from edge import boot_partition
from edge.errors import Misconfigured
from edge.image import base, imager, recipe
from edge.image import build as builder
from edge.image import bundle as updates
from edge.image import deb as package
from edge.image.bundle import Signer
from edge.image.recipe import Inputs
from edge.system.place import BUNDLE

WHEELS = Path(__file__).parent / "wheels.txt"


def build(arguments: argparse.Namespace) -> int:
    """Build the image."""
    if arguments.base is not None:
        return _onto_base(arguments)
    certificate = _certificate(arguments.update_cert)
    epoch, wheels = source_date_epoch(os.environ), arguments.wheels or WHEELS
    inputs = Inputs(_mirror(arguments.mirror), epoch, wheels, certificate)
    cache = _cache(arguments)
    to = arguments.to or Path(builder.DEFAULT_NAME)
    keys = builder.keys(inputs)
    root = cache / f"root-{keys.root}"
    print(f"image: {to}, {sum(_sizes())} MiB: boot, root A, root B, data")
    is_kept = root.is_dir() and not arguments.refresh
    print(f"Debian: {inputs.source}; root {'made before' if is_kept else 'to be built'}")
    print(f"time of its files: {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(inputs.epoch))} UTC; parts in {cache}")
    print(f"system {builder.system_version(inputs, keys)}; {_updates_of(inputs)}")
    builder.require(cache, to)
    if arguments.dry_run:
        return 0
    started = time.monotonic()
    if arguments.refresh and root.is_dir():
        shutil.rmtree(root)

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {text}", file=sys.stderr, flush=True)

    builder.build(inputs, cache, to, say, url=arguments.url)
    if arguments.xz:
        builder.compress(to, to.with_name(f"{to.name}.xz"), inputs.epoch, say, url=arguments.url)
    print(f"{to}: built of {keys.image[:16]}; bill of materials, licences, block map and manifest lie beside it")
    print(f"Next: wordcam-edge flash {to} --device FILE.enroll --to /dev/sdX")
    return 0


def _onto_base(arguments: argparse.Namespace) -> int:
    base_image: Path = arguments.base
    to = arguments.to or Path(f"wordcam-{base_image.name.partition('.')[0]}.img")
    target = package.Target("arm64", arguments.python)
    print(f"image: {to}, of {base_image} with {target.file_name}, which its cloud-init installs without a network")
    if missing := builder.missing_tools({"dpkg-deb": "dpkg", "mcopy": "mtools"}):
        raise Misconfigured(
            f"missing here: {', '.join(missing)} (Debian: sudo apt install {' '.join(missing.values())})"
        )
    if not base_image.is_file():
        raise Misconfigured(f"{base_image}: there is no such file")
    if arguments.dry_run:
        return 0
    epoch = source_date_epoch(os.environ)
    cache = _cache(arguments)
    cache.mkdir(parents=True, exist_ok=True)
    made = package.build(target, WHEELS, cache, cache, epoch)
    base.inject(base_image, made, to, built_of=recipe.digest(made.read_bytes(), base_image.name))
    boards = imager.BOARDS_OF_RASPBERRY_PI_OS
    imager.write(to, epoch, url=arguments.url, init_format="cloudinit-rpi", boards=boards)
    print(f"{to}: written. Next: wordcam-edge flash {to} --device FILE.enroll --to /dev/sdX")
    return 0


def keys(arguments: argparse.Namespace) -> int:
    """Make the key that signs system updates."""
    from edge.image import signing  # noqa: PLC0415  # cryptography is large, and no other verb needs it

    signing.make(arguments.folder)
    key, certificate = arguments.folder / signing.KEY, arguments.folder / signing.CERTIFICATE
    print(f"{key}: signs updates; keep it off the server, and a copy elsewhere")
    print(f"{certificate}: wordcam-edge image build --update-cert {certificate}")
    return 0


def bundle(arguments: argparse.Namespace) -> int:
    """Make the update of an image."""
    image: Path = arguments.image
    to: Path = arguments.to or image.with_name(f"{image.name.removesuffix('.img')}.raucb")
    print(f"update: {to}, of {image}, signed by {arguments.key}")
    if missing := builder.missing_tools(updates.TOOLS):
        packages = " ".join(dict.fromkeys(missing.values()))
        raise Misconfigured(f"missing here: {', '.join(missing)} (Debian: sudo apt install {packages})")
    for path in (image, arguments.key, arguments.cert):
        if not path.is_file():
            raise Misconfigured(f"{path}: there is no such file")
    if arguments.dry_run:
        return 0
    version = updates.make(image, Signer(arguments.key, arguments.cert), to)
    print(f"{to}: {to.stat().st_size / 1e6:.0f} MB, system {version}")
    print(
        f"Next: copy it to {boot_partition.FOLDER}/{BUNDLE.name} on the boot partition of a card, and start the device"
    )
    return 0


def _certificate(path: Path | None) -> Path | None:
    if path is not None and (not path.is_file() or b"BEGIN CERTIFICATE" not in path.read_bytes()):
        raise Misconfigured(f"{path}: is not a certificate (PEM); `wordcam-edge image keys DIR` makes one")
    return path


def _updates_of(inputs: Inputs) -> str:
    found = inputs.update_certificate
    return f"takes updates signed by {found}" if found else "takes no system updates (--update-cert)"


def deb(arguments: argparse.Namespace) -> int:
    """Build the Debian package."""
    target = package.Target(arguments.architecture, arguments.python)
    print(f"package: {arguments.to / target.file_name}, for {target.architecture} with Python {target.python}")
    if missing := builder.missing_tools({"dpkg-deb": "dpkg"}):
        raise Misconfigured(
            f"missing here: {', '.join(missing)} (Debian: sudo apt install {' '.join(missing.values())})"
        )
    if not arguments.to.is_dir():
        raise Misconfigured(f"{arguments.to}: there is no such folder")
    if arguments.dry_run:
        return 0
    done = package.build(target, WHEELS, _cache(arguments), arguments.to, source_date_epoch(os.environ))
    print(f"{done}: {done.stat().st_size / 1e6:.0f} MB; on the device: sudo apt install ./{done.name}")
    return 0


def source_date_epoch(environ: Mapping[str, str]) -> int:
    """Return the time of every file of the image: SOURCE_DATE_EPOCH, the commit's, or now."""
    if found := environ.get("SOURCE_DATE_EPOCH"):
        if not found.isdecimal():
            raise Misconfigured(f"SOURCE_DATE_EPOCH={found}: expected seconds since 1970")
        return int(found)
    command = ["git", "-C", str(Path(__file__).parent), "log", "-1", "--format=%ct"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        said = ""
    return int(said) if said.isdecimal() else int(time.time())


def _cache(arguments: argparse.Namespace) -> Path:
    usual = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "wordcam/image"
    return (arguments.cache or usual).absolute()


def _mirror(url: str | None) -> str | None:
    if url is not None and not re.fullmatch(r"(https?|file)://\S+", url):
        raise Misconfigured(f"--mirror {url}: write a URL that begins with http://, https:// or file://")
    return url


def _sizes() -> tuple[int, ...]:
    return (1, recipe.BOOT_MIB, recipe.ROOT_MIB, recipe.ROOT_MIB, recipe.DATA_MIB)

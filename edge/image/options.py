"""The options of `wordcam-edge image build`; what runs it is imported when it is called."""

import argparse
from pathlib import Path
from typing import Any


def add(verbs: Any) -> None:  # argparse keeps the type of its subparsers private
    """Add the verb to those of the program."""
    text = "make images of cards"
    image = verbs.add_parser("image", help=text, description=text)
    parts = image.add_subparsers(dest="part", required=True, metavar="VERB")
    text = "build wordcam's own image: Debian for 64-bit Raspberry Pi with USB or network cameras"
    build = parts.add_parser("build", help=text, description=text)
    build.add_argument("--to", type=Path, metavar="FILE", help="default: wordcam-VERSION-arm64.img in this folder")
    other = "put wordcam into this image of Raspberry Pi OS (with cloud-init, 64-bit) instead; ribbon cameras need it"
    build.add_argument("--base", type=Path, metavar="IMAGE", help=other)
    build.add_argument(
        "--python", choices=("3.11", "3.12", "3.13"), default="3.13", help="that of --base (%(default)s)"
    )
    archive = "take packages from this archive of Debian's, such as a snapshot of it: the same image at any time"
    build.add_argument("--mirror", metavar="URL", help=archive)
    offered = "folder of the web from which Raspberry Pi Imager will fetch the image; default: the file that is written"
    build.add_argument("--url", metavar="URL", help=offered)
    pinned = "wheels for the image, pinned by hash; default: those that come along"
    build.add_argument("--wheels", type=Path, metavar="FILE", help=pinned)
    kept = "where parts are kept for the next build; default: ~/.cache/wordcam/image"
    build.add_argument("--cache", type=Path, metavar="DIR", help=kept)
    build.add_argument("--refresh", action="store_true", help="ask Debian for newer packages, and build the root anew")
    accepted = "certificate (PEM) by which updates of this system may be signed; without it, it takes none"
    build.add_argument("--update-cert", type=Path, metavar="FILE", help=accepted)
    build.add_argument("--xz", action="store_true", help="write a compressed image beside it")
    build.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    build.set_defaults(run=_build)
    _add_updates(parts)
    text = "build a Debian package for a system that is there: Raspberry Pi OS, Debian, Ubuntu"
    deb = parts.add_parser("deb", help=text, description=text)
    deb.add_argument("--architecture", choices=("arm64", "amd64"), default="arm64", help="default: %(default)s")
    of = "that of the system: 3.11 for Debian 12, 3.12 for Ubuntu 24.04, 3.13 for Debian 13 (%(default)s)"
    deb.add_argument("--python", choices=("3.11", "3.12", "3.13"), default="3.13", help=of)
    deb.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="default: this folder")
    deb.add_argument("--cache", type=Path, metavar="DIR", help=kept)
    deb.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    deb.set_defaults(run=_deb)


def _add_updates(parts: Any) -> None:  # as above
    text = "make the key that signs system updates, and the certificate that `image build --update-cert` takes"
    keys = parts.add_parser("keys", help=text, description=text)
    keys.add_argument("folder", type=Path, metavar="DIR", help="a medium that is put away afterwards")
    keys.set_defaults(run=_keys)
    text = "make a signed update (RAUC bundle) of an image, for devices that run an earlier one"
    bundle = parts.add_parser("bundle", help=text, description=text)
    bundle.add_argument("image", type=Path, metavar="IMAGE", help="as `image build` writes it")
    bundle.add_argument("--key", type=Path, required=True, metavar="FILE", help="private key (PEM)")
    bundle.add_argument("--cert", type=Path, required=True, metavar="FILE", help="its certificate (PEM)")
    to = "default: beside the image, with the ending .raucb"
    bundle.add_argument("-o", "--to", type=Path, metavar="FILE", help=to)
    bundle.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    bundle.set_defaults(run=_bundle)


def _keys(arguments: argparse.Namespace) -> int:
    from edge.image import cli  # noqa: PLC0415  # as above

    return cli.keys(arguments)


def _bundle(arguments: argparse.Namespace) -> int:
    from edge.image import cli  # noqa: PLC0415  # as above

    return cli.bundle(arguments)


def _build(arguments: argparse.Namespace) -> int:
    from edge.image import cli  # noqa: PLC0415  # no other verb needs it

    return cli.build(arguments)


def _deb(arguments: argparse.Namespace) -> int:
    from edge.image import cli  # noqa: PLC0415  # as above

    return cli.deb(arguments)

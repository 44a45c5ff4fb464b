"""The options of `wordcam-edge flash`; what runs it is imported when it is called."""

import argparse
from pathlib import Path
from typing import Any


def add(verbs: Any) -> None:  # argparse keeps the type of its subparsers private
    """Add the verb to those of the program."""
    text = "write an image on a card for one device, and read it back"
    flash = verbs.add_parser("flash", help=text, description=text)
    flash.add_argument("image", type=Path, metavar="IMAGE", help="card.img, or with .xz, .gz or .zst")
    invited = "the invitation, such as north-gate_pi-01.enroll; `wordcam-broker enroll` writes it"
    flash.add_argument("--device", type=Path, required=True, metavar="FILE", help=invited)
    flash.add_argument("--to", type=Path, required=True, metavar="DISK", help="the card, such as /dev/sdb, or a file")
    flash.add_argument("--camera", metavar="CAMERA", help="as of `init`; default: the first that the device finds")
    flash.add_argument("--wifi-name", metavar="NAME", help="the network; without it the device uses its cable")
    asked = "a file that holds the network's password alone; without it, the password is asked for"
    flash.add_argument("--wifi-password-file", type=Path, metavar="FILE", help=asked)
    flash.add_argument("--wifi-country", default="KR", metavar="CC", help="whose rules of radio apply (%(default)s)")
    flash.add_argument("--dry-run", action="store_true", help="try everything, say what would be done, write nothing")
    flash.add_argument("--yes", action="store_true", help="do not ask")
    flash.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from edge.flash import cli  # noqa: PLC0415  # no other verb needs it

    return cli.run(arguments)

"""The options of `wordcam-edge evidence`; what runs it is imported when it is called."""

import argparse
from pathlib import Path
from typing import Any


def add(verbs: Any, where: str) -> None:  # argparse keeps the type of its subparsers private
    """Add the verb to those of the program; `where` says where edge.yaml is looked for."""
    text = "make the keys of sealed evidence, list what a device keeps, and open it by the private key"
    evidence = verbs.add_parser("evidence", help=text, description=text)
    acts = evidence.add_subparsers(dest="act", required=True, metavar="ACT")
    text = "make a private key, on another machine than the device, and print its public key"
    keygen = acts.add_parser("keygen", help=text, description=text)
    keygen.add_argument("--to", type=Path, required=True, metavar="FILE", help="new file for the private key")
    keygen.set_defaults(run=_run)
    text = "list the sealed pictures that are kept on this device: when, danger, camera, size"
    listed = acts.add_parser("list", help=text, description=text)
    listed.add_argument("--config", type=Path, metavar="FILE", help=where)
    listed.add_argument("--folder", type=Path, metavar="DIR", help="of sealed files, in place of this device's")
    listed.add_argument("--json", action="store_true", help="answer in JSON")
    listed.set_defaults(run=_run)
    text = "open a sealed picture by the private key"
    opened = acts.add_parser("open", help=text, description=text)
    opened.add_argument("file", type=Path, metavar="FILE", help="a file that `list` names, or a copy of it")
    opened.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key")
    opened.add_argument("--to", type=Path, required=True, metavar="PICTURE", help="new file for the picture: a JPEG")
    opened.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from edge.evidence import cli  # noqa: PLC0415  # no other verb needs it

    return cli.run(arguments)

"""The options of `wordcam-edge system`; what runs it is imported when it is called."""

import argparse
from pathlib import Path
from typing import Any

CONFIG = Path("/etc/wordcam/edge.yaml")


def add(verbs: Any) -> None:  # argparse keeps the type of its subparsers private
    """Add the verb to those of the program."""
    text = "update the system of a device that runs wordcam's own image"
    system = verbs.add_parser("system", help=text, description=text)
    parts = system.add_subparsers(dest="part", required=True, metavar="VERB")
    text = "verify a signed bundle, write it into the system that does not run, and start that to try it"
    install = parts.add_parser("install", help=text, description=text)
    install.add_argument("bundle", type=Path, metavar="FILE", help="as `wordcam-edge image bundle` makes it")
    install.add_argument("--no-restart", action="store_true", help="leave the restart to somebody else")
    install.add_argument("--dry-run", action="store_true", help="verify the signature, say what would be done, stop")
    install.set_defaults(run=_install)
    text = "say which system runs, and what became of the last update"
    parts.add_parser("status", help=text, description=text).set_defaults(run=_status)
    text = "do what is due of an update after a start; its unit runs this"
    parts.add_parser("settle", help=text, description=text).set_defaults(run=_settle)
    text = "wait until the server acknowledges a caption; its unit runs this in a new system"
    prove = parts.add_parser("prove", help=text, description=text)
    prove.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="default: %(default)s")
    prove.add_argument("--seconds", type=float, default=600.0, metavar="N", help="for how long (%(default)g)")
    prove.set_defaults(run=_prove)
    text = "start the card with the running system from now on; its unit runs this when that has proved itself"
    parts.add_parser("commit", help=text, description=text).set_defaults(run=_commit)
    text = "answer RAUC's questions to a boot loader; RAUC runs this"
    backend = parts.add_parser("boot-loader", help=text, description=text)
    backend.add_argument("words", nargs="+", metavar="WORD", help="get-primary, set-primary a, ...")
    backend.set_defaults(run=_boot_loader)
    text = "write the boot files of a bundle that is being installed; RAUC runs this"
    parts.add_parser("boot-files", help=text, description=text).set_defaults(run=_boot_files)


def _install(arguments: argparse.Namespace) -> int:
    from edge.system import cli  # noqa: PLC0415  # no other verb needs it

    return cli.install(arguments)


def _status(_: argparse.Namespace) -> int:
    from edge.system import cli  # noqa: PLC0415  # as above

    return cli.status()


def _settle(_: argparse.Namespace) -> int:
    from edge.system import cli  # noqa: PLC0415  # as above

    return cli.settle()


def _prove(arguments: argparse.Namespace) -> int:
    from edge.system import cli  # noqa: PLC0415  # as above

    return cli.prove(arguments)


def _commit(_: argparse.Namespace) -> int:
    from edge.system import cli  # noqa: PLC0415  # as above

    return cli.commit()


def _boot_loader(arguments: argparse.Namespace) -> int:
    from edge.system import cli  # noqa: PLC0415  # as above

    return cli.boot_loader(arguments)


def _boot_files(_: argparse.Namespace) -> int:
    from edge.system import cli  # noqa: PLC0415  # as above

    return cli.boot_files()

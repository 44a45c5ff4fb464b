"""The verbs `wordcam-broker export` and `forget`: export captions, and erase them on request."""

import argparse
import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Engine

from broker.cli.incidents import opened
from broker.cli.rules import moment
from broker.config.channels import e164
from broker.config.errors import Misconfigured
from broker.config.sites import Places
from broker.retention import audit, erasure, export
from broker.retention.audit import Entry
from broker.retention.erasure import Asker, Forgotten
from broker.store import selection
from broker.store.engine import writing
from broker.store.selection import Scope
from foundation.errors import from_os_error

NAMES = {
    "captions": "sentences",
    "messages": "text messages",
    "entries": "entries of timelines",
    "replies": "answers",
    "samples": "samples of refused messages",
}


def run(arguments: argparse.Namespace) -> int:
    """Export captions, or erase them."""
    return _export(arguments) if arguments.verb_name == "export" else _forget(arguments)


def _scope(arguments: argparse.Namespace, places: Places) -> Scope:
    start = moment(arguments.start, places, "--from") if arguments.start else None
    end = moment(arguments.end, places, "--to") if arguments.end else None
    try:
        return Scope(arguments.site, arguments.device, start, end)
    except ValueError as error:
        raise Misconfigured(str(error)) from error


def _export(arguments: argparse.Namespace) -> int:
    with opened(arguments) as (engine, places), _output(arguments.out) as out:
        wish = _scope(arguments, places)
        with writing(engine) as connection:
            total = selection.count(connection, wish)
            entry = Entry(datetime.now(UTC), getpass.getuser(), "terminal", "export", erasure.described(wish))
            audit.add(connection, replace(entry, detail=f"{total} sentences"))
        as_csv = arguments.format == "csv"
        if as_csv:
            out.write(export.heading())
        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
            bar = progress.add_task("sentences", total=total)
            for page in export.everything(engine, wish):
                out.write(export.table(page) if as_csv else export.lines(page))
                progress.advance(bar, len(page))
        out.flush()
    return 0


@contextmanager
def _output(file: Path | None) -> Iterator[BinaryIO]:
    if file is None:
        yield sys.stdout.buffer
        return
    try:
        with file.open("wb") as opened:
            yield opened
    except OSError as error:
        raise from_os_error(error, f"--out {file}") from error


def _forget(arguments: argparse.Namespace) -> int:
    with opened(arguments) as (engine, places):
        asker = Asker(arguments.by or getpass.getuser(), "terminal")
        wish = _scope(arguments, places)
        if arguments.phone is not None:
            if not wish.is_everything or arguments.everything:
                raise Misconfigured("forget: a number is forgotten everywhere; leave --site, --from and the like out")
            made = _forget_phone(engine, _number(arguments.phone), asker, sure=arguments.yes)
        else:
            if wish.is_everything != arguments.everything:
                raise Misconfigured("forget: what? Name --site, --from, --to or --phone; or --everything alone")
            made = _forget_sentences(engine, wish, asker, sure=arguments.yes)
            print(f"{erasure.described(wish, places)}:")
    for name, count in made.counts.items():
        print(f"  {count} {NAMES[name]}")
    if made.in_use:
        print(f"  {made.in_use} stay for now: an incident is open, or a notification is still to be sent")
    print("deleted" if arguments.yes else "nothing is deleted yet; add --yes")
    return 0


def _forget_sentences(engine: Engine, wish: Scope, asker: Asker, *, sure: bool) -> Forgotten:
    if sure:
        return erasure.forget(engine, wish, asker, now=datetime.now(UTC))
    return erasure.count(engine, wish)


def _forget_phone(engine: Engine, phone: str, asker: Asker, *, sure: bool) -> Forgotten:
    if sure:
        return erasure.forget_phone(engine, phone, asker, now=datetime.now(UTC))
    return erasure.count_phone(engine, phone)


def _number(phone: str) -> str:
    try:
        return e164(phone)
    except ValueError as error:
        raise Misconfigured(f"--phone {error}") from error

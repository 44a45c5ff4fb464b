"""The command `wordcam-broker`."""

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from broker.cli import config_path, console_process, dead_letters, incidents, init, leader, rules
from broker.cli import data as cli_keep
from broker.cli import users as web_cli
from broker.cli.watch import Watch
from broker.config import broker as config_file
from broker.config.broker import MQTT_PASSWORD
from broker.config.database import DATABASE_PASSWORD
from broker.config.errors import Failure, Misconfigured
from broker.config.sites import Places
from broker.incidents.presence import builtin_rules
from broker.notify.message import segments
from broker.notify.translation.offline import OfflineTranslator
from broker.ports import NoMetrics
from broker.rules import compiler
from broker.service import factory, service
from broker.store import migrate, vacuum
from broker.store.engine import open_database
from contract import release
from foundation import log, secret, terminal
from foundation.errors import from_os_error

TALKATIVE: Final = ("alembic", "httpcore", "httpx", "sqlalchemy", "twilio", "urllib3", "uvicorn.error")
"""Loggers of libraries that log every request or statement at level info."""


def console() -> None:
    """Run the command and leave with its exit code."""
    log.log_uncaught()
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run one verb: 0, 75 (try again) or 78 (fix the config)."""
    terminal.accept_every_character()
    arguments = _parser().parse_args(argv)
    level = logging.DEBUG if arguments.verbose else logging.INFO
    log.configure(arguments.verb_name, level=level, quiet=TALKATIVE)
    verb: Callable[[argparse.Namespace], int] = arguments.verb
    try:
        if arguments.needs_config:
            arguments.config = config_path.found(arguments.config)
        return verb(arguments)
    except Failure as error:
        print(f"wordcam-broker: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wordcam-broker", description="Captions in, alerts out.")
    release.add_option(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb_name")

    def add(name: str, verb: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.add_argument("--config", type=Path, metavar="FILE", help=config_path.HELP)
        sub.set_defaults(verb=verb, needs_config=True)
        return sub

    init.add_verb(add)
    run = add("run", _run, "receive captions, store them, and tell people of danger")
    run.add_argument("--summary", type=Path, metavar="FILE", help="write what happened as JSON at the end")
    run.add_argument("--console", action="store_true", help="start the console beside it")
    add("check", _check, "check the configuration and the rules, and start nothing")
    watch = add("watch", _watch, "show captions as they come")
    watch.add_argument("--last", type=int, default=20, metavar="N", help="begin with the last N (default: %(default)s)")
    watch.add_argument("--once", action="store_true", help="show those and end")
    test = add("send-test", _send_test, "send a test message to everyone, or to one person")
    test.add_argument("--to", type=_composed, metavar="NAME", help="one recipient")
    dead = add("dead", _dead, "list the messages that were given up, or send them again")
    dead.add_argument("do", choices=("list", "resend"))
    dead.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="which to send again")
    dead.add_argument("--all", action="store_true", help="send all of them again")
    dead.add_argument("--json", action="store_true", help="one JSON object a line")
    translate = add("translate", _translate, "say sentences in Korean, as alerts would")
    translate.add_argument(
        "file", metavar="FILE", help="one sentence a line, or JSON lines with `text`; - is standard input"
    )
    translate.add_argument("--offline", action="store_true", help="by the grammar that is built in, without a config")
    translate.add_argument("--json", action="store_true", help="one JSON object a line")
    translate.set_defaults(needs_config=False)
    add("migrate", _migrate, "bring the database to this version")
    leader.add_verbs(add)
    incidents.add_verbs(add)
    cli_keep.add_verbs(add)
    rules.add_verbs(verbs)
    web_cli.add_verbs(add, verbs)
    return parser


def _composed(name: str) -> str:
    """Return a name in the form (NFC) in which configuration files are read."""
    return unicodedata.normalize("NFC", name)


def _aside(stop: Callable[[], None]) -> None:
    """Call it in a thread: a signal may find the main thread inside `Event.wait`, holding the lock that `set` takes."""
    threading.Thread(target=stop).start()


def _config(arguments: argparse.Namespace) -> config_file.Config:
    return config_file.load(config_path.found(arguments.config))


def _run(arguments: argparse.Namespace) -> int:
    config = config_file.load(arguments.config)
    with contextlib.ExitStack() as beside:

        def on_ready(stop: Callable[[], None]) -> None:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: _aside(stop))
            if arguments.console:  # only now has a new database its tables
                beside.enter_context(console_process.running(arguments.config))

        summary = service.run(config, out=sys.stdout, on_ready=on_ready)
    if arguments.summary is not None:
        _write(arguments.summary, msgspec.json.format(msgspec.json.encode(summary), indent=2))
    return 0


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data + b"\n")
    except OSError as error:
        raise from_os_error(error, f"--summary {path}") from error


def _check(arguments: argparse.Namespace) -> int:
    config = config_file.load(arguments.config)
    book = compiler.load(config.rules_file)
    builtin_rules.beside(book, config.presence)
    secret.read(config.mqtt.password_file, MQTT_PASSWORD, field="mqtt.password_file")
    secret.read(config.database.password_file, DATABASE_PASSWORD, field="database.password_file")
    senders = factory.senders(config, sys.stdout)
    factory.translator(config, None, NoMetrics())
    if config.monitor is not None and config.monitor.ping is not None:
        from broker.monitor import ping  # noqa: PLC0415 - it brings an HTTP client

        ping.url_of(config.monitor.ping)
    for warning in config.web.warnings:
        print(f"{arguments.config}: {warning}", file=sys.stderr)
    if not config.recipients:
        print(f"{arguments.config}: recipients: nobody is told of anything", file=sys.stderr)
    people = ", ".join(f"{person.name} ({_reached(person)}, {person.language})" for person in config.recipients)
    print(f"{arguments.config}: good. Messages by {_listed(senders.names)} to {people or 'nobody'}.")
    print(f"{config.rules_file}: good. {len(book.rules)} rules: {', '.join(rule.name for rule in book.rules)}.")
    return 0


def _watch(arguments: argparse.Namespace) -> int:
    config = config_file.load(arguments.config)
    watch = Watch(config.database, Places.of(config), config.language, Console(file=sys.stdout, highlight=False))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _aside(stop.set))
    logging.getLogger(__name__).info("watching")
    watch.run(back=arguments.last, follow=not arguments.once, stopped=stop.is_set)
    return 0


def _send_test(arguments: argparse.Namespace) -> int:
    config = config_file.load(arguments.config)
    people = [person for person in config.recipients if arguments.to in (None, person.name)]
    if not people:
        known = ", ".join(person.name for person in config.recipients) or "nobody"
        raise Misconfigured(f"{arguments.config}: recipients: no {arguments.to or 'recipient'}; known: {known}")
    senders = factory.senders(config, sys.stdout)
    for person in people:
        sender = senders.of(person.name)
        text = service.send_test(config, person, sender)
        print(f"{person.name}: {sender.name}, {segments.parts(text)} part(s)")
    return 0


def _reached(person: config_file.Recipient) -> str:
    return person.e164 or f"by {person.channel}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def _dead(arguments: argparse.Namespace) -> int:
    config = config_file.load(arguments.config)
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        if arguments.do == "list":
            for letter in dead_letters.dead(engine):
                print(msgspec.json.encode(letter).decode() if arguments.json else letter.line)
            return 0
        if not arguments.numbers and not arguments.all:
            raise Misconfigured("dead resend: which? Name numbers from `dead list`, or --all")
        for number, taken in dead_letters.resend(engine, None if arguments.all else arguments.numbers):
            print(f"{number}: {'waits to be sent again' if taken else 'is not dead'}")
        return 0
    finally:
        engine.dispose()


def _translate(arguments: argparse.Namespace) -> int:
    translator = OfflineTranslator() if arguments.offline else factory.translator(_config(arguments), None, NoMetrics())
    with rules.lines(arguments.file) as lines:
        for sentence in dead_letters.sentences(lines, origin=arguments.file):
            said = translator.translate(sentence, source="en", target="ko")
            pair = {"text": sentence, "translated": None if said == sentence else said}
            print(json.dumps(pair, ensure_ascii=False) if arguments.json else f"{sentence}\t{said}")
    return 0


def _migrate(arguments: argparse.Namespace) -> int:
    config = config_file.load(arguments.config)
    engine = open_database(config.database)
    try:
        revision = migrate.migrate(engine)
        vacuum.prepare(engine)
    finally:
        engine.dispose()
    print(f"{config.database.name}: at version {revision}")
    return 0

"""The verbs `console` and `user` of `wordcam-broker`."""

import argparse
import dataclasses
import getpass
import json
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import segno
from sqlalchemy import Connection, Engine

from broker.config import broker as config_file
from broker.config.errors import Misconfigured
from broker.notify.links import Signer
from broker.retention import audit
from broker.retention.audit import Entry
from broker.store import migrate
from broker.store.engine import open_database, reading, writing
from broker.web import texts
from broker.web.accounts import invitation, passwords, sessions, users
from broker.web.accounts.account import Account, Role
from broker.web.accounts.invitation import Inviter
from broker.web.accounts.users import Taken
from foundation import secret

"""Makes a verb with `--config`."""

log = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> int:
    """Serve the console, or keep its accounts."""
    if arguments.verb_name == "console":
        return _console(arguments)
    verbs = {
        "list": _list,
        "add": _add,
        "invite": _invite,
        "password": _password,
        "token": _token,
        "disable": _disable,
        "enable": _enable,
    }
    return verbs[arguments.user_verb](arguments)


def _console(arguments: argparse.Namespace) -> int:
    config = config_file.load(arguments.config)
    if arguments.port is not None:
        config = _with_port(config, arguments.port)
    # The web framework takes half a second to import, which no other verb needs to wait for.
    from broker.web import server  # noqa: PLC0415 - see above

    def on_ready(stop: Callable[[], None], address: str) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop())
        log.info("console", extra={"address": address})
        print(address, flush=True)

    server.run(config, on_ready=on_ready)
    return 0


def _with_port(config: config_file.Config, port: int) -> config_file.Config:
    import msgspec  # noqa: PLC0415 - one line of it

    if not 0 <= port <= 65535:
        raise Misconfigured(f"--port {port}: ports are 0 to 65535")
    return msgspec.structs.replace(config, web=msgspec.structs.replace(config.web, port=port))


def _list(arguments: argparse.Namespace) -> int:
    with _database(arguments) as engine, reading(engine) as connection:
        for account in users.everyone(connection):
            print(_as_json(account) if arguments.json else _describe(account))
    return 0


def _add(arguments: argparse.Namespace) -> int:
    with _database(arguments) as engine:
        with reading(engine) as connection:
            if users.by_name(connection, arguments.name) is not None:
                raise Misconfigured(f"{arguments.name}: there is an account of this name; `user password` changes it")
        now = datetime.now(UTC)
        try:
            Account(arguments.name, Role.GUARD, "en", "", now, now)
        except ValueError as error:
            raise Misconfigured(str(error)) from error
        hashed = passwords.digest(_new_password(arguments))
        account = Account(arguments.name, Role(arguments.role), arguments.language, hashed, now, now)
        with writing(engine) as connection:
            try:
                users.add(connection, account)
            except Taken as error:
                raise Misconfigured(str(error)) from error
            _note(connection, "user-added", account.name, account.role)
    print(f"{account.name}: {account.role}")
    return 0


def _invite(arguments: argparse.Namespace) -> int:
    links = config_file.load(arguments.config).links
    if links is None:
        raise Misconfigured(f"{arguments.config}: has no `links`, by whose `base_url` and secret invitations are made")
    signer = Signer.of(links)
    with _database(arguments) as engine:
        with reading(engine) as connection:
            known = users.by_name(connection, arguments.name)
        now = datetime.now(UTC)
        if known is None:
            try:
                made = Account(arguments.name, Role(arguments.role), arguments.language, "", now, now)
            except ValueError as error:
                raise Misconfigured(str(error)) from error
            with writing(engine) as connection:
                users.add(connection, dataclasses.replace(made, password=invitation.no_password()))
                _note(connection, "user-added", made.name, made.role)
        with reading(engine) as connection:
            account = users.by_name(connection, arguments.name)
    if account is None:
        raise Misconfigured(f"{arguments.name}: the account was deleted meanwhile")
    link = Inviter(signer.base_url, signer.secret).link(account)
    hours = int(invitation.VALID_FOR.total_seconds() // 3600)
    print(f"{account.name}: {account.role}; this link sets the password, once, within {hours} hours:", link, sep="\n")
    if sys.stdout.isatty():
        segno.make(link, error="l").terminal(compact=True)
    return 0


def _password(arguments: argparse.Namespace) -> int:
    with _database(arguments) as engine:
        account = _known(engine, arguments.name)
        hashed = passwords.digest(_new_password(arguments))
        with writing(engine) as connection:
            users.set_password(connection, account.id, hashed, at=datetime.now(UTC))
            sessions.end_all(connection, account.id)
            _note(connection, "user-password", account.name)
    print(f"{account.name}: has another password, and was logged out everywhere")
    return 0


def _token(arguments: argparse.Namespace) -> int:
    if not 1 <= arguments.days <= 3650:
        raise Misconfigured(f"--days {arguments.days}: a token holds from one day to ten years (3650)")
    with _database(arguments) as engine:
        account = _known(engine, arguments.name)
        valid = timedelta(days=arguments.days)
        with writing(engine) as connection:
            word = sessions.add_token(connection, account, label=arguments.label, at=datetime.now(UTC), valid=valid)
            _note(connection, "token", account.name, f"{arguments.label}, {arguments.days} days")
    print(word)
    return 0


def _disable(arguments: argparse.Namespace) -> int:
    return _lock(arguments, at=datetime.now(UTC), action="user-disabled")


def _enable(arguments: argparse.Namespace) -> int:
    return _lock(arguments, at=None, action="user-enabled")


def _lock(arguments: argparse.Namespace, *, at: datetime | None, action: str) -> int:
    with _database(arguments) as engine:
        account = _known(engine, arguments.name)
        with writing(engine) as connection:
            users.set_disabled(connection, account.id, at=at)
            sessions.end_all(connection, account.id)
            _note(connection, action, account.name)
    print(f"{account.name}: {'locked' if at else 'open'}")
    return 0


@contextmanager
def _database(arguments: argparse.Namespace) -> Iterator[Engine]:
    config = config_file.load(arguments.config)
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        yield engine
    finally:
        engine.dispose()


def _known(engine: Engine, name: str) -> Account:
    with reading(engine) as connection:
        account = users.by_name(connection, name)
    if account is None:
        raise Misconfigured(f"{name}: there is no account of this name; `user list` shows them")
    return account


def _new_password(arguments: argparse.Namespace) -> str:
    """Read a password from its file or from the terminal; never from the command line, which others can see."""
    if arguments.password_file is not None:
        password = _from_file(arguments.password_file)
    elif sys.stdin.isatty():
        password = getpass.getpass(f"New password of {arguments.name}: ")
        if getpass.getpass("Again: ") != password:
            raise Misconfigured("the two are not the same; nothing was changed")
    else:
        raise Misconfigured("no terminal to type a password at; name a file with --password-file, - is standard input")
    if problem := passwords.refusal(password, name=arguments.name):
        raise Misconfigured(texts.of("en")(problem, least=passwords.MIN_CHARS))
    return password


def _from_file(name: str) -> str:
    return sys.stdin.read().strip("\r\n") if name == "-" else secret.text(Path(name), field="--password-file")


def _note(connection: Connection, action: str, subject: str, detail: str = "") -> None:
    actor = getpass.getuser()
    audit.add(connection, Entry(datetime.now(UTC), actor, "terminal", action, subject, detail))


def _describe(account: Account) -> str:
    return f"{account.name}\t{account.role}\t{account.language}\t{'locked' if account.disabled_at else 'open'}"


def _as_json(account: Account) -> str:
    facts: dict[str, Any] = {"name": account.name, "role": account.role, "language": account.language}
    return json.dumps(facts | {"locked": account.disabled_at is not None}, ensure_ascii=False)

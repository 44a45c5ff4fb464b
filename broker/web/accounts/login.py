"""Decides whether a login may be tried now, and lets it be tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from broker.retention import audit
from broker.retention.audit import Entry
from broker.store.engine import reading, writing
from broker.web.accounts import passwords, sessions, users
from broker.web.accounts.account import Account
from broker.web.accounts.sessions import Failure

WINDOW: Final = timedelta(minutes=15)
"""Failures older than this are forgotten."""

PER_NAME_AND_ADDRESS: Final = 5
PER_ADDRESS: Final = 20
PER_NAME: Final = 50
"""Failures in the window from which on nobody may try: from one place as one person, from one place, as one person.

The last is high, so that a stranger cannot keep a guard out, and low enough to end a guess from many places."""


@dataclass(frozen=True, slots=True)
class TryLater:
    """The login may not be tried before a while."""

    wait: timedelta


@dataclass(frozen=True, slots=True)
class Wrong:
    """The name or the password is wrong; which of them is not said."""


def brake(failures: Sequence[Failure], *, name: str, address: str, now: datetime) -> timedelta:
    """Say how long to wait before the next try, from the failures of the window; zero for not at all."""
    here = [failure.at for failure in failures if failure.address == address]
    own = [failure.at for failure in failures if failure.name == name]
    both = [failure.at for failure in failures if failure.name == name and failure.address == address]
    longest = timedelta(0)
    for moments, limit in ((both, PER_NAME_AND_ADDRESS), (here, PER_ADDRESS), (own, PER_NAME)):
        if len(moments) >= limit:
            longest = max(longest, sorted(moments)[-limit] + WINDOW - now)
    return longest


def attempt(engine: Engine, name: str, password: str, *, address: str, now: datetime) -> Account | TryLater | Wrong:
    """Try a login; the failure is written down before anything is said of it.

    The hash is computed outside of any transaction: it takes a tenth of a second, and captions are being written.
    """
    name = name[:64]
    with reading(engine) as connection:
        failures = sessions.failures(connection, since=now - WINDOW)
        account = users.by_name(connection, name)
    wait = brake(failures, name=name, address=address, now=now)
    if wait > timedelta(0):
        return TryLater(wait)
    known = account is not None and account.disabled_at is None
    right = passwords.fits(password, account.password if account and known else None)
    with writing(engine) as connection:
        if account is None or not right:
            sessions.add_failure(connection, Failure(now, name, address), forget_before=now - WINDOW)
            audit.add(connection, Entry(now, name, address, "login-refused"))
            return Wrong()
        sessions.forget_failures(connection, name=name, address=address)
        if passwords.is_dated(account.password):
            users.set_hash(connection, account.id, passwords.digest(password))
        audit.add(connection, Entry(now, name, address, "login"))
    return account

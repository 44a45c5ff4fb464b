"""Logs an account in, unless too many wrong passwords came before."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from broker.retention import audit
from broker.retention.audit import Entry
from broker.store.engine import writing
from broker.web.accounts import attempts, passwords, throttle, users
from broker.web.accounts.account import Account
from broker.web.accounts.throttle import Origin


@dataclass(frozen=True, slots=True)
class TryLater:
    """Too many wrong passwords came before."""

    wait: timedelta


@dataclass(frozen=True, slots=True)
class Wrong:
    """The name or the password is wrong; the answer does not say which."""


def attempt(engine: Engine, asker: Origin, password: str, *, now: datetime) -> Account | TryLater | Wrong:
    """Try a login from a browser, which the account may know or not.

    The attempt is counted in the same transaction that compares it with the limits, before the password is looked at:
    of many guesses at the same moment no more are compared than of one after the other. The hash is computed outside of
    any transaction, because it takes a tenth of a second and captions are being written.
    """
    with writing(engine) as connection:
        account, origin = _find(connection, asker)
        failures = attempts.of(connection, origin, since=now - throttle.MEMORY)
        wait = throttle.wait(failures, origin, now=now)
        if wait > timedelta(0):
            return TryLater(wait)
        number = attempts.begin(connection, origin, at=now, forget_before=now - throttle.MEMORY)
    right = passwords.fits(password, account.password if account else None)
    with writing(engine) as connection:
        if account is None or not right:
            audit.add(connection, Entry(now, asker.name, asker.address, "login-refused"))
            return Wrong()
        attempts.succeeded(connection, number, origin)
        attempts.know(connection, asker.browser, account.id, at=now)
        if passwords.is_dated(account.password):
            users.set_hash(connection, account.id, passwords.digest(password))
        audit.add(connection, Entry(now, asker.name, asker.address, "login"))
    return account


def _find(connection: Connection, asker: Origin) -> tuple[Account | None, Origin]:
    """Return the account of a name where it may log in, and what the attempt counts against."""
    account = users.by_name(connection, asker.name)
    if account is None or account.disabled_at is not None:
        return None, replace(asker, browser="")
    is_known = attempts.is_known(connection, asker.browser, account.id)
    return account, asker if is_known else replace(asker, browser="")

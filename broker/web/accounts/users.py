"""Keeps accounts."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from broker.config.section import Language
from broker.store.tables.console import account as table
from broker.web.accounts.account import Account, Role


class Taken(ValueError):
    """Another account has this name."""


def add(connection: Connection, account: Account) -> Account:
    """Store a new account, and return it with its number; raises `Taken`."""
    row = {
        "name": account.name,
        "role": account.role.value,
        "language": account.language,
        "password": account.password,
        "password_at": account.password_at,
        "created_at": account.created_at,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(table), row)
    except IntegrityError as error:
        raise Taken(f"an account named {account.name!r} already exists") from error
    made = by_name(connection, account.name)
    assert made is not None, "written above, in this transaction"  # noqa: S101 - says a fact, checks no input
    return made


def by_name(connection: Connection, name: str) -> Account | None:
    """Return the account of a name."""
    row = connection.execute(select(table).where(table.c.name == name)).first()
    return None if row is None else _account(row)


def get(connection: Connection, account_id: int) -> Account | None:
    """Return an account by its number."""
    row = connection.execute(select(table).where(table.c.id == account_id)).first()
    return None if row is None else _account(row)


def everyone(connection: Connection) -> list[Account]:
    """Return all accounts, disabled ones included, by name."""
    return [_account(row) for row in connection.execute(select(table).order_by(table.c.name))]


def count_administrators(connection: Connection) -> int:
    """Count the active administrators."""
    able = (table.c.role == Role.ADMINISTRATOR.value) & table.c.disabled_at.is_(None)
    return int(connection.execute(select(func.count()).select_from(table).where(able)).scalar_one())


def set_password(connection: Connection, account_id: int, hashed: str, *, at: datetime) -> None:
    """Return an account another password."""
    _set(connection, account_id, password=hashed, password_at=at)


def set_hash(connection: Connection, account_id: int, hashed: str) -> None:
    """Store a new hash of the same password."""
    _set(connection, account_id, password=hashed)


def set_role(connection: Connection, account_id: int, role: Role) -> None:
    """Return an account another role."""
    _set(connection, account_id, role=role.value)


def set_language(connection: Connection, account_id: int, language: Language) -> None:
    """Store the language of an account."""
    _set(connection, account_id, language=language)


def set_disabled(connection: Connection, account_id: int, *, at: datetime | None) -> None:
    """Disable an account from a moment on, or enable it (None)."""
    _set(connection, account_id, disabled_at=at)


def _set(connection: Connection, account_id: int, **values: object) -> None:
    connection.execute(update(table).where(table.c.id == account_id).values(**values))


def _account(row: Row[Any]) -> Account:
    return Account(**({**row._mapping} | {"role": Role(row.role)}))

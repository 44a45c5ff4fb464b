"""Keeps the sessions of browsers and the tokens of programs."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from broker.store.tables import console
from broker.web.accounts import users
from broker.web.accounts.account import Account

TOKEN_BYTES: Final = 32
"""Randomness of a session's and an API token: 256 bits cannot be guessed, so a plain SHA-256 of it is enough."""

SEEN_EVERY: Final = timedelta(minutes=1)
"""How often the last use of a session is written, so that not every page writes."""


@dataclass(frozen=True, slots=True)
class Session:
    """One login of one browser."""

    digest: str
    account: Account
    csrf: str
    """The CSRF token, which every form of this session carries."""
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """One API token, without the token itself."""

    id: int
    label: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def start(connection: Connection, account: Account, *, address: str, at: datetime) -> str:
    """Start a session, and return the token for its cookie."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = {
        "digest": digest(token),
        "account_id": account.id,
        "csrf": secrets.token_urlsafe(TOKEN_BYTES),
        "created_at": at,
        "seen_at": at,
        "address": address[:64],
    }
    connection.execute(insert(console.web_session), row)
    return token


def find(connection: Connection, digest_: str, *, created_after: datetime, seen_after: datetime) -> Session | None:
    """Return the session of a cookie's digest, unless it is too old, was idle too long, or its account is disabled."""
    table = console.web_session
    fresh = (table.c.created_at > created_after) & (table.c.seen_at > seen_after)
    row = connection.execute(select(table).where(table.c.digest == digest_, fresh)).first()
    account = users.get(connection, row.account_id) if row else None
    if row is None or account is None or account.disabled_at is not None:
        return None
    return Session(row.digest, account, row.csrf, row.created_at, row.seen_at)


def touch(connection: Connection, session: Session, *, at: datetime) -> None:
    """Write the last use of a session."""
    table = console.web_session
    connection.execute(update(table).where(table.c.digest == session.digest).values(seen_at=at))


def end(connection: Connection, session_digest: str) -> None:
    """Log one browser out."""
    table = console.web_session
    connection.execute(delete(table).where(table.c.digest == session_digest))


def end_all(connection: Connection, account_id: int, *, but: str = "") -> None:
    """End all sessions of an account but one, by its digest, and forget its known browsers."""
    table, known = console.web_session, console.known_browser
    connection.execute(delete(table).where(table.c.account_id == account_id, table.c.digest != but))
    connection.execute(delete(known).where(known.c.account_id == account_id))


def forget(connection: Connection, *, created_before: datetime, seen_before: datetime) -> None:
    """Delete sessions that can no longer be used."""
    table = console.web_session
    stale = (table.c.created_at <= created_before) | (table.c.seen_at <= seen_before)
    connection.execute(delete(table).where(stale))


def add_token(connection: Connection, account: Account, *, label: str, at: datetime, valid: timedelta) -> str:
    """Create an API token, and return it: it is not stored, so it is shown only once."""
    token = f"wck_{secrets.token_urlsafe(TOKEN_BYTES)}"
    row = {
        "account_id": account.id,
        "label": label[:64],
        "digest": digest(token),
        "created_at": at,
        "expires_at": at + valid,
    }
    connection.execute(insert(console.api_token), row)
    return token


def account_of_token(connection: Connection, token: str, *, at: datetime) -> tuple[Account, Token] | None:
    """Return the account of an API token, unless the token has expired or the account is disabled."""
    table = console.api_token
    row = connection.execute(select(table).where(table.c.digest == digest(token), table.c.expires_at > at)).first()
    account = users.get(connection, row.account_id) if row else None
    if row is None or account is None or account.disabled_at is not None:
        return None
    return account, Token(row.id, row.label, row.created_at, row.expires_at, row.used_at)


def use_token(connection: Connection, token_id: int, *, at: datetime) -> None:
    """Write the last use of an API token."""
    table = console.api_token
    connection.execute(update(table).where(table.c.id == token_id).values(used_at=at))


def tokens_of(connection: Connection, account_id: int) -> list[Token]:
    """Return the tokens of an account, newest first."""
    table = console.api_token
    rows = connection.execute(select(table).where(table.c.account_id == account_id).order_by(table.c.id.desc()))
    return [Token(row.id, row.label, row.created_at, row.expires_at, row.used_at) for row in rows]


def end_token(connection: Connection, token_id: int, *, account_id: int) -> bool:
    """Revoke an API token; False where the account has none of this number."""
    table = console.api_token
    own = (table.c.id == token_id) & (table.c.account_id == account_id)
    return connection.execute(delete(table).where(own)).rowcount > 0

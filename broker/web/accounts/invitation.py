"""A signed link by which somebody sets the first password of an account, once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import Connection

from broker.web.accounts import passwords, users
from broker.web.accounts.account import Account

SALT: Final = "wordcam first password"
"""Keeps a signature of one purpose from serving another."""

VALID_FOR: Final = timedelta(hours=24)

PATH: Final = "/welcome/"
"""Where the console answers these links."""


class Refused(Exception):
    """The link is forged or too old, or the account has got a password since."""


@dataclass(frozen=True, slots=True)
class Inviter:
    """Makes and reads these links, by the secret of the links in notifications."""

    base_url: str
    secret: str

    def link(self, account: Account) -> str:
        """Return the link of an account, which ends when the account gets a password."""
        return f"{self.base_url}{PATH}{self._serializer().dumps([account.name, _mark(account)])}"

    def read(self, connection: Connection, token: str) -> Account:
        """Return the account that a link is for; raises `Refused`."""
        try:
            name, mark = self._serializer().loads(token, max_age=int(VALID_FOR.total_seconds()))
        except (BadSignature, ValueError, TypeError) as error:  # too old, or not ours, or of another shape
            raise Refused from error
        account = users.by_name(connection, str(name))
        if account is None or not secrets.compare_digest(_mark(account), str(mark)):
            raise Refused
        return account

    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.secret, salt=SALT)


def no_password() -> str:
    """Return the hash of a password that nobody knows."""
    return passwords.digest(secrets.token_urlsafe(48))


def _mark(account: Account) -> str:
    return hashlib.sha256(f"{account.id} {account.password}".encode()).hexdigest()

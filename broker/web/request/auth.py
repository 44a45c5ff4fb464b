"""Authentication: by the session cookie of a browser, or by the API token of a program."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from anyio.to_thread import run_sync
from litestar.connection import ASGIConnection
from litestar.exceptions import ClientException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp

from broker.store.engine import reading, writing
from broker.web.accounts import sessions
from broker.web.accounts.account import Account
from broker.web.request.state import Console

API: Final = "/api/"
"""Below this path a token is required and cookies are ignored, so that no other site's form can reach it."""


HOST: Final = re.compile(r"([A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
"""A name or address, and perhaps a port: what pages build addresses from."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Someone who has logged in, or a program that speaks for them."""

    account: Account
    address: str
    csrf: str = ""
    """The CSRF token that forms carry; "" for a program, which has no forms."""
    session: str = ""
    """Digest of the session; "" for a program."""


class Recognition(AbstractAuthenticationMiddleware):
    """Puts the viewer, or None, into the connection's `user`; the guard of each page checks what they may do."""

    def __init__(self, app: ASGIApp, console: Console) -> None:
        super().__init__(app)
        self._console = console

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """Find the account of a request; raises `ClientException` where its `Host` header is not a host."""
        if not HOST.fullmatch(connection.headers.get("host", "")):
            raise ClientException("`Host` names no host")
        address = address_of(connection)
        if connection.scope["path"].startswith(API):
            scheme, _, token = connection.headers.get("authorization", "").partition(" ")
            viewer = await run_sync(self._program, token.strip(), address) if scheme.lower() == "bearer" else None
        else:
            token = connection.cookies.get(self._console.cookie, "")
            viewer = await run_sync(self._person, token, address) if token else None
        return AuthenticationResult(user=viewer, auth=None)

    def _person(self, token: str, address: str) -> Viewer | None:
        session = self._console.session(sessions.digest(token))
        return None if session is None else Viewer(session.account, address, session.csrf, session.digest)

    def _program(self, token: str, address: str) -> Viewer | None:
        now = self._console.clock()
        with reading(self._console.engine) as connection:
            found = sessions.account_of_token(connection, token, at=now)
        if found is None:
            return None
        account, known = found
        if known.used_at is None or now - known.used_at >= timedelta(minutes=1):
            with writing(self._console.engine) as connection:
                sessions.use_token(connection, known.id, at=now)
        return Viewer(account, address)


def address_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Return the address that a request came from."""
    return connection.client.host if connection.client else "unknown"

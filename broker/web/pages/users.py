"""Accounts: the administrator's list, and each user's own page with password and tokens."""

from datetime import timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody

from broker.config.section import Language
from broker.store.engine import reading, writing
from broker.web.accounts import passwords, sessions, users
from broker.web.accounts.account import Account, Role
from broker.web.accounts.users import Taken
from broker.web.request.context import Page, ThisPage, needs

TOKEN_DAYS: Final = (30, 90, 365)


class Newcomer(msgspec.Struct):
    """What the form for a new account sends."""

    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    password: Annotated[str, msgspec.Meta(max_length=400)] = ""
    role: Role = Role.GUARD
    language: Language = "en"
    csrf: str = ""


class Change(msgspec.Struct):
    """What an administrator changes of an account; empty fields stay as they are."""

    role: Annotated[str, msgspec.Meta(max_length=16)] = ""
    password: Annotated[str, msgspec.Meta(max_length=400)] = ""
    disabled: Annotated[str, msgspec.Meta(max_length=4)] = ""
    csrf: str = ""


class Own(msgspec.Struct):
    """What someone changes of their own password."""

    old: Annotated[str, msgspec.Meta(max_length=400)] = ""
    new: Annotated[str, msgspec.Meta(max_length=400)] = ""
    csrf: str = ""


class Wanted(msgspec.Struct):
    """A token that someone wants."""

    label: Annotated[str, msgspec.Meta(max_length=64)] = ""
    days: int = 90
    csrf: str = ""


@get("/users", sync_to_thread=True, guards=[needs(Role.ADMINISTRATOR)])
def show(page: ThisPage) -> Response[str]:
    """List the accounts."""
    return _show(page)


@post("/users", sync_to_thread=True, status_code=200, guards=[needs(Role.ADMINISTRATOR)])
def add(page: ThisPage, data: URLEncodedBody[Newcomer]) -> Response[Any]:
    """Create an account."""
    name, now = data.name.strip(), page.now
    if problem := passwords.refusal(data.password, name=name):
        return _show(page, status=400, problem=page.said(problem, least=passwords.MIN_CHARS))
    try:
        account = Account(name, data.role, data.language, passwords.digest(data.password), now, now)
        with writing(page.console.engine) as connection:
            users.add(connection, account)
            page.note(connection, "user-added", name, data.role)
    except Taken:
        return _show(page, status=409, problem=page.said("users.taken", name=name))
    except ValueError:
        return _show(page, status=400, problem=page.said("users.bad_name"))
    return page.go("/users")


@post("/users/{number:int}", sync_to_thread=True, status_code=200, guards=[needs(Role.ADMINISTRATOR)])
def change(page: ThisPage, number: FromPath[int], data: URLEncodedBody[Change]) -> Response[Any]:
    """Change another account; nobody can change their own, so that one administrator always stays."""
    with reading(page.console.engine) as connection:
        account = users.get(connection, number)
    if account is None:
        raise NotFoundException
    if account.id == page.who.account.id:
        return _show(page, status=400, problem=page.said("users.yourself"))
    problem = passwords.refusal(data.password, name=account.name) if data.password else ""
    if problem or (data.role and data.role not in list(Role)):
        return _show(page, status=400, problem=page.said(problem or "users.bad_role", least=passwords.MIN_CHARS))
    hashed = passwords.digest(data.password) if data.password else ""
    with writing(page.console.engine) as connection:
        if data.role and data.role != account.role:
            users.set_role(connection, number, Role(data.role))
            page.note(connection, "user-role", account.name, data.role)
        if hashed:
            users.set_password(connection, number, hashed, at=page.now)
            page.note(connection, "user-password", account.name)
        if data.disabled:
            users.set_disabled(connection, number, at=page.now if data.disabled == "yes" else None)
            page.note(connection, "user-disabled" if data.disabled == "yes" else "user-enabled", account.name)
        if hashed or data.disabled == "yes" or data.role:
            sessions.end_all(connection, number)
    return page.go("/users")


@get("/account", sync_to_thread=True, guards=[needs(Role.GUARD)])
def own(page: ThisPage) -> Response[str]:
    """Show the user's own account."""
    return _own(page)


@post("/account/password", sync_to_thread=True, status_code=200, guards=[needs(Role.GUARD)])
def set_own(page: ThisPage, data: URLEncodedBody[Own]) -> Response[Any]:
    """Change the user's own password; all other browsers are logged out."""
    account = page.who.account
    if not passwords.fits(data.old, account.password):
        return _own(page, status=400, problem=page.said("account.wrong_old"))
    if problem := passwords.refusal(data.new, name=account.name):
        return _own(page, status=400, problem=page.said(problem, least=passwords.MIN_CHARS))
    hashed = passwords.digest(data.new)
    with writing(page.console.engine) as connection:
        users.set_password(connection, account.id, hashed, at=page.now)
        sessions.end_all(connection, account.id, but=page.who.session)
        page.note(connection, "password")
    return _own(page, done=page.said("account.changed"))


@post("/account/tokens", sync_to_thread=True, status_code=200, guards=[needs(Role.GUARD)])
def add_token(page: ThisPage, data: URLEncodedBody[Wanted]) -> Response[Any]:
    """Create a token, and show it once."""
    days = data.days if data.days in TOKEN_DAYS else TOKEN_DAYS[0]
    label = " ".join(data.label.split()) or "-"
    with writing(page.console.engine) as connection:
        token = sessions.add_token(connection, page.who.account, label=label, at=page.now, valid=timedelta(days=days))
        page.note(connection, "token", label, f"{days} days")
    return _own(page, token=token)


@post("/account/tokens/{number:int}/end", sync_to_thread=True, status_code=200, guards=[needs(Role.GUARD)])
def end_token(page: ThisPage, number: FromPath[int]) -> Response[Any]:
    """Revoke a token."""
    with writing(page.console.engine) as connection:
        if not sessions.end_token(connection, number, account_id=page.who.account.id):
            raise NotFoundException
        page.note(connection, "token-ended", number)
    return page.go("/account")


def _show(page: Page, *, status: int = 200, problem: str = "") -> Response[str]:
    with reading(page.console.engine) as connection:
        everyone = users.everyone(connection)
    return page.render("users.html", status=status, users=everyone, problem=problem, roles=list(Role))


def _own(page: Page, *, status: int = 200, problem: str = "", done: str = "", token: str = "") -> Response[str]:
    with reading(page.console.engine) as connection:
        tokens = sessions.tokens_of(connection, page.who.account.id)
    return page.render(
        "account.html",
        status=status,
        tokens=tokens,
        days=TOKEN_DAYS,
        problem=problem,
        done=done,
        token=token,
        now=page.now,
        least=passwords.MIN_CHARS,
    )

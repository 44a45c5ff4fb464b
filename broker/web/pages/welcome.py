"""The link of an invitation: a page on which somebody sets the first password of their account."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, URLEncodedBody

from broker.retention import audit
from broker.retention.audit import Entry
from broker.store.engine import reading, writing
from broker.web.accounts import passwords, users
from broker.web.accounts.invitation import Inviter, Refused
from broker.web.request.auth import address_of
from broker.web.request.context import Page, ThisPage


class FirstPassword(msgspec.Struct):
    """What the form sends."""

    password: Annotated[str, msgspec.Meta(max_length=400)] = ""


@get("/welcome/{token:str}", sync_to_thread=True)
def show(page: ThisPage, token: FromPath[str]) -> Response[str]:
    """Show the form. Opening it changes nothing."""
    try:
        with reading(page.console.engine) as connection:
            account = _inviter(page).read(connection, token)
    except Refused:
        return page.render("welcome.html", status=410, account=None, token="", problem="")
    return page.render("welcome.html", account=account, token=token, problem="")


@post("/welcome/{token:str}", sync_to_thread=True, status_code=200)
def use(page: ThisPage, token: FromPath[str], data: URLEncodedBody[FirstPassword]) -> Response[Any]:
    """Set the password. The link itself is the proof: another site's form cannot know it."""
    console = page.console
    try:
        with reading(console.engine) as connection:
            account = _inviter(page).read(connection, token)
        if problem := passwords.refusal(data.password, name=account.name):
            said = page.said(problem, least=passwords.MIN_CHARS)
            return page.render("welcome.html", status=400, account=account, token=token, problem=said)
        hashed = passwords.digest(data.password)
        with writing(console.engine) as connection:
            account = _inviter(page).read(connection, token)  # once more: another browser may have been faster
            users.set_password(connection, account.id, hashed, at=page.now)
            address = address_of(page.request)
            audit.add(connection, Entry(page.now, account.name, address, "user-password", account.name, "invitation"))
    except Refused:
        return page.render("welcome.html", status=410, account=None, token="", problem="")
    return page.go("/login")


def _inviter(page: Page) -> Inviter:
    signer = page.console.signer
    if signer is None:
        raise NotFoundException
    return Inviter(signer.base_url, signer.secret)

"""Login, logout, language and colour scheme."""

import hmac
import logging
import math
import secrets
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromQuery, URLEncodedBody

from broker.config.section import Language
from broker.store.engine import writing
from broker.web.accounts import login, sessions, users
from broker.web.accounts.login import TryLater, Wrong
from broker.web.accounts.throttle import Origin
from broker.web.request.auth import address_of
from broker.web.request.context import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Page, ThisPage, from_here, is_local

log = logging.getLogger(__name__)

FORM_COOKIE: Final = "wordcam-form"
"""Carries the CSRF token of the login form, as there is no session yet to store one."""

FORM_SECONDS: Final = 3600

BROWSER_CHARS: Final = 100
"""Longer than the token that the console puts into a browser's cookie."""


class Login(msgspec.Struct):
    """What the login form sends."""

    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    password: Annotated[str, msgspec.Meta(max_length=400)] = ""
    next: Annotated[str, msgspec.Meta(max_length=400)] = "/"
    csrf: str = ""


class Choice(msgspec.Struct):
    """What the buttons for language and colour scheme send."""

    value: Annotated[str, msgspec.Meta(max_length=8)] = ""
    back: Annotated[str, msgspec.Meta(max_length=400)] = "/"
    csrf: str = ""


@get("/login", sync_to_thread=True, name="login")
def show(page: ThisPage, next: FromQuery[str] = "/") -> Response[str] | Response[None]:  # noqa: A002 - the name in the address
    """Show the form, or redirect where someone is logged in already."""
    after = next if is_local(next) else "/"
    return page.go(after) if page.viewer else _form(page, after=after)


@post("/login", sync_to_thread=True, status_code=200)
def enter(page: ThisPage, data: URLEncodedBody[Login]) -> Response[str] | Response[None]:
    """Start a session where the password is right."""
    request = page.request
    kept = request.cookies.get(FORM_COOKIE, "")
    if not kept or not hmac.compare_digest(kept.encode(), data.csrf.encode()) or not from_here(request):
        return _form(page, after=data.next, problem="login.stale", status=403)
    address, now = address_of(request), page.now
    browser = _browser(page)
    asker = Origin(data.name.strip(), address, sessions.digest(browser))
    outcome = login.attempt(page.console.engine, asker, data.password, now=now)
    if isinstance(outcome, TryLater):
        log.info("login throttled", extra={"address": address, "wait_seconds": round(outcome.wait.total_seconds())})
        minutes = max(1, math.ceil(outcome.wait.total_seconds() / 60))
        return _form(page, after=data.next, problem="login.wait", status=429, minutes=minutes)
    if isinstance(outcome, Wrong):
        log.info("login refused", extra={"address": address})
        return _form(page, after=data.next, problem="login.wrong", status=401)
    with writing(page.console.engine) as connection:
        sessions.forget(
            connection, created_before=now - page.console.session_for, seen_before=now - page.console.idle_for
        )
        token = sessions.start(connection, outcome, address=address, at=now)
    cookies = [
        page.cookie(page.console.cookie, token, max_age=None),
        page.cookie(page.console.browser_cookie, browser),
        _gone(page, FORM_COOKIE),
    ]
    return page.go(data.next if is_local(data.next) else "/", cookies=cookies)


@post("/logout", sync_to_thread=True, status_code=200)
def leave(page: ThisPage) -> Response[None]:
    """End the session."""
    if page.viewer is not None:
        with writing(page.console.engine) as connection:
            sessions.end(connection, page.viewer.session)
            page.note(connection, "logout")
    return page.go("/login", cookies=[_gone(page, page.console.cookie)])


@post("/language", sync_to_thread=True, status_code=200)
def choose_language(page: ThisPage, data: URLEncodedBody[Choice]) -> Response[None]:
    """Store the language, in the account if someone is logged in."""
    language: Language = "ko" if data.value == "ko" else "en"
    if page.viewer is not None:
        with writing(page.console.engine) as connection:
            users.set_language(connection, page.viewer.account.id, language)
    return _back(page, data, page.cookie(LANGUAGE_COOKIE, language))


@post("/theme", sync_to_thread=True, status_code=200)
def choose_theme(page: ThisPage, data: URLEncodedBody[Choice]) -> Response[None]:
    """Store the colour scheme, in this browser."""
    value = data.value if data.value in THEMES else "auto"
    return _back(page, data, page.cookie(THEME_COOKIE, value))


def _back(page: Page, data: Choice, cookie: Cookie) -> Response[None]:
    if not from_here(page.request):
        raise PermissionDeniedException
    return page.go(data.back if is_local(data.back) else "/", cookies=[cookie])


def _form(page: Page, *, after: str, problem: str = "", status: int = 200, **values: object) -> Response[str]:
    token = page.request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    said = page.said(problem, **values) if problem else ""
    made = page.render("login.html", status=status, problem=said, after=after, csrf=token)
    made.set_cookie(page.cookie(FORM_COOKIE, token, max_age=FORM_SECONDS))
    return made


def _browser(page: Page) -> str:
    """Return the token of this browser's cookie, or a new one."""
    kept = page.request.cookies.get(page.console.browser_cookie, "")
    return kept if 0 < len(kept) <= BROWSER_CHARS else secrets.token_urlsafe(sessions.TOKEN_BYTES)


def _gone(page: Page, name: str) -> Cookie:
    return page.cookie(name, "", max_age=0)

"""One request for a page: who asks, in which language, and how the answer is made."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from sqlalchemy import Connection

from broker.config.section import Language
from broker.incidents import store
from broker.retention import audit
from broker.retention.audit import Entry
from broker.store.engine import reading
from broker.web import texts
from broker.web.accounts.account import Role
from broker.web.rendering import render as rendering
from broker.web.request.auth import Viewer
from broker.web.request.state import Console
from broker.web.texts import LANGUAGES, Texts

LANGUAGE_COOKIE: Final = "language"
THEME_COOKIE: Final = "theme"
THEMES: Final = ("auto", "light", "dark")
YEAR_SECONDS: Final = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Page:
    """What a handler needs to answer."""

    request: Request[Any, Any, Any]
    console: Console
    viewer: Viewer | None

    @property
    def who(self) -> Viewer:
        """The viewer of a page that asks for a login."""
        if self.viewer is None:
            raise NotAuthorizedException
        return self.viewer

    @property
    def now(self) -> datetime:
        """This moment."""
        return self.console.clock()

    @property
    def language(self) -> Language:
        """The viewer's language, or else the browser's, or else the configuration's."""
        if self.viewer is not None:
            return self.viewer.account.language
        asked = self.request.cookies.get(LANGUAGE_COOKIE, "")
        wished = [asked, *(part.strip()[:2] for part in self.request.headers.get("accept-language", "").split(","))]
        return next((known for word in wished for known in LANGUAGES if known == word), self.console.config.language)

    @property
    def said(self) -> Texts:
        """The words of that language."""
        return texts.of(self.language)

    @property
    def is_fragment(self) -> bool:
        """Whether htmx asks for a part of the page that it shows already."""
        return self.request.headers.get("hx-request") == "true"

    def render(self, template: str, *, status: int = 200, **values: Any) -> Response[str]:
        """Make the answer from a template."""
        theme = self.request.cookies.get(THEME_COOKIE, "auto")
        given: dict[str, Any] = {
            "page": self,
            "viewer": self.viewer,
            "theme": theme if theme in THEMES else "auto",
            "path": self.request.scope["path"],
            "may": self.may,
        }
        if self.viewer is not None and not self.is_fragment:
            given["open_count"] = self._open_count()
        html = rendering.render(template, self.console, self.language, given | values)
        return Response(html, media_type=MediaType.HTML, status_code=status)

    def may(self, role: str) -> bool:
        """Return whether the viewer may do what a role may."""
        return self.viewer is not None and self.viewer.account.role.covers(Role(role))

    def go(self, path: str, *, cookies: list[Cookie] | None = None) -> Response[None]:
        """Send the browser to another page, in the way that it understands."""
        if self.is_fragment:
            return Response(None, status_code=204, headers={"HX-Redirect": path}, cookies=cookies)
        return Response(None, status_code=303, headers={"Location": path}, cookies=cookies)

    def note(self, connection: Connection, action: str, subject: object = "", detail: str = "") -> None:
        """Write a line of the audit log."""
        who = self.who
        entry = Entry(self.now, who.account.name, who.address, action, str(subject), detail)
        audit.add(connection, entry)

    def cookie(self, name: str, value: str, *, max_age: int | None = YEAR_SECONDS, hidden: bool = True) -> Cookie:
        """Make a cookie that other sites' forms do not carry and, where there is https, that only https carries."""
        return Cookie(
            key=name,
            value=value,
            max_age=max_age,
            path="/",
            httponly=hidden,
            secure=self.console.web.is_secure,
            samesite="lax",
        )

    def _open_count(self) -> int:
        with reading(self.console.engine) as connection:
            return len(store.now_open(connection))


ThisPage: TypeAlias = NamedDependency[Page]
"""The page of the request that a handler answers."""


def provide_page(console: Console) -> Callable[[Request[Any, Any, Any]], Page]:
    """Return the dependency that makes a `Page` of a request."""

    def page(request: Request[Any, Any, Any]) -> Page:
        return of_request(request, console)

    return page


def of_request(request: Request[Any, Any, Any], console: Console) -> Page:
    """Make the page of a request; one for an address that is nowhere has no viewer."""
    return Page(request, console, request.scope.get("user"))


def is_local(path: str) -> bool:
    """Return whether a path is one of ours, so that a link to the login cannot lead on to another site."""
    return path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()


def login_path(request: Request[Any, Any, Any]) -> str:
    """Return the way to the login and back to where someone was."""
    shown = request.headers.get("hx-current-url", "") if request.headers.get("hx-request") else ""
    after = "" if shown or request.method != "GET" else request.scope["path"]
    return f"/login?next={quote(after, safe='/')}" if after not in ("", "/") else "/login"


def needs(role: Role) -> Callable[[Any, Any], None]:
    """Return the guard of a page that is for this role and those above it."""

    def guard(connection: Any, _handler: Any) -> None:
        viewer = connection.scope.get("user")
        if viewer is None:
            raise NotAuthorizedException
        if not viewer.account.role.covers(role):
            raise PermissionDeniedException(extra={"role": role.value})

    return guard


def from_here(request: Request[Any, Any, Any]) -> bool:
    """Return whether a browser sent a form from a page of this console, as far as its headers show."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or origin.split("://", 1)[-1] == request.headers.get("host")

"""What every page of the console uses."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine

from broker.config.broker import Config
from broker.config.errors import Locked, Misconfigured
from broker.config.section import Language, Wording
from broker.config.sites import Places
from broker.config.web import Web
from broker.incidents.presence import builtin_rules
from broker.notify.links import Signer
from broker.ports import Translator
from broker.rules import compiler
from broker.rules.compiler import Rulebook
from broker.store.engine import reading, writing
from broker.web.accounts import sessions
from broker.web.accounts.sessions import SEEN_EVERY, Session

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Console:
    """One console over one database."""

    engine: Engine
    config: Config
    places: Places
    translator: Translator
    signer: Signer | None = None
    """Reads the links of text messages; None where there are none."""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @property
    def web(self) -> Web:
        """The console's own part of the configuration."""
        return self.config.web

    @property
    def cookie(self) -> str:
        """Name of the session's cookie. By `__Host-` browsers bind it to this very host and to https."""
        return "__Host-wordcam" if self.web.is_secure else "wordcam"

    @property
    def browser_cookie(self) -> str:
        """Name of the cookie by which a browser that has logged in before is known."""
        return f"{self.cookie}-browser"

    @property
    def session_for(self) -> timedelta:
        """How long a login lasts."""
        return timedelta(hours=self.web.session_hours)

    @property
    def idle_for(self) -> timedelta:
        """How long a browser may be idle."""
        return timedelta(minutes=self.web.idle_minutes)

    def rulebook(self) -> Rulebook:
        """Return the rules of the file as it is now; raises `Misconfigured`."""
        path = self.config.rules_file
        try:
            stamp = path.stat().st_mtime_ns
        except OSError as error:
            raise Misconfigured(f"{path}: {error.strerror}") from error
        return _compiled(path, stamp)

    def title(self, rule: str) -> str | Wording:
        """Return the title of a rule, the file's or the service's own; "" where it has none any more."""
        if rule in builtin_rules.TITLES:
            return builtin_rules.TITLES[rule]
        try:
            return next((one.title for one in self.rulebook().rules if one.name == rule), "")
        except Misconfigured:
            return ""

    def session(self, digest: str) -> Session | None:
        """Return the session of a cookie's digest while it holds, and write down now and then that it is in use."""
        now = self.clock()
        with reading(self.engine) as connection:
            found = sessions.find(
                connection, digest, created_after=now - self.session_for, seen_after=now - self.idle_for
            )
        if found is not None and now - found.seen_at >= SEEN_EVERY:
            self._touch(found, now)
        return found

    def still_in(self, digest: str) -> bool:
        """Return whether a session is still valid; an open live page keeps its own in use by asking."""
        return self.session(digest) is not None

    def _touch(self, session: Session, now: datetime) -> None:
        try:
            with writing(self.engine) as connection:
                sessions.touch(connection, session, at=now)
        except Locked as error:
            log.info("session use not written", extra={"reason": str(error)})

    def translate(self, sentence: str, source: str, target: Language) -> str:
        """Return a sentence in another language; "" where it is in that already, or cannot be translated."""
        if source.lower().startswith(target):
            return ""
        said = _remembered(self.translator.translate, sentence, source, target)
        return "" if said == sentence else said


@lru_cache(maxsize=1)
def _compiled(path: Path, stamp: int) -> Rulebook:  # noqa: ARG001 - a new stamp is a new file
    """Compiling takes a second or two."""
    return compiler.load(path)


@lru_cache(maxsize=4096)
def _remembered(translate: Callable[..., str], sentence: str, source: str, target: Language) -> str:
    """Scenes that do not change are described again and again."""
    return translate(sentence, source=source, target=target)

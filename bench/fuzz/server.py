"""Decoders of what reaches the database: messages, web hooks, links and questions, on a small site of its own."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import yaml
from sqlalchemy import Engine
from twilio.request_validator import RequestValidator

from bench.accuracy.alarms import ROOT
from bench.fuzz.decoder import ACCEPTED, Decoder, Read, refusing
from broker.config import broker as config_file
from broker.config.broker import Config
from broker.config.sites import Places
from broker.incidents.grouping import Grouper
from broker.ingest.batch import BatchProcessor
from broker.ingest.decoder import Message
from broker.notify import notifications
from broker.notify.links import Refused, Signer
from broker.notify.translation.offline import OfflineTranslator
from broker.ports import NoMetrics
from broker.rules import compiler
from broker.store import migrate, search
from broker.store.engine import open_database, reading, writing
from broker.store.search import Question
from broker.web import app, search_terms
from broker.web.accounts import sessions, users
from broker.web.accounts.account import Account, Role
from broker.web.request.state import Console
from broker.web.webhooks.twilio import TwilioHooks
from contract import caption, examples, topics

TOKEN: Final = "a token of nobody's"
SECRET: Final = "0123456789abcdef" * 2
HOOK: Final = "http://testserver"
GUARD: Final = "+12025550143"


@dataclass
class Site:
    """A database with one incident with its notification, and everything that reads what strangers send."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="wordcam-fuzz-")))
    config: Config = field(init=False)
    engine: Engine = field(init=False)
    processor: BatchProcessor = field(init=False)
    words: dict[bytes, bytes] = field(default_factory=dict)
    """What stands for a session, a form's word and a token in inputs that are kept."""

    def __post_init__(self) -> None:
        path = self.folder / "broker.yaml"
        people = [{"name": "guard", "phone": GUARD, "language": "ko"}]
        tree = {
            "database": {"path": "fuzz.db"},
            "rules_file": str(ROOT / "config" / "rules.yaml"),
            "recipients": people,
        }
        path.write_text(yaml.safe_dump(tree | {"timezone": "Asia/Seoul"}), encoding="utf-8")
        self.config = config_file.load(path)
        self.engine = open_database(self.config.database)
        migrate.migrate(self.engine)
        book = compiler.load(self.config.rules_file)
        self.processor = BatchProcessor(
            self.engine,
            book,
            Grouper(self.config.recipients, self.config.incidents, Places.of(self.config)),
            on_notification=lambda: None,
            metrics=NoMetrics(),
        )
        self.processor.process([said()])
        with writing(self.engine) as connection:
            alert = notifications.next_due(connection, at=datetime.now(UTC))
            if alert is not None:
                notifications.begin(connection, alert.id, text="ALERT", provider="twilio", at=datetime.now(UTC))
                notifications.mark_sent(connection, alert.id, provider_id=sid(1), at=datetime.now(UTC))
            self._log_in(connection)

    def _log_in(self, connection: Any) -> None:
        now = datetime.now(UTC)
        account = users.add(connection, Account("admin", Role.ADMINISTRATOR, "en", "no hash at all", now, now))
        cookie = sessions.start(connection, account, address="fuzz", at=now)
        found = sessions.find(connection, sessions.digest(cookie), created_after=now - DAY, seen_after=now - DAY)
        assert found is not None, "begun above"
        token = sessions.add_token(connection, account, label="fuzz", at=now, valid=DAY)
        self.words = {b"@COOKIE@": cookie.encode(), b"@WORD@": found.csrf.encode(), b"@TOKEN@": token.encode()}
        self.words[b"@LINK@"] = self.signer.token(1).encode()

    @property
    def signer(self) -> Signer:
        """Reads links of text messages."""
        return Signer(HOOK, SECRET, DAY)

    @property
    def hooks(self) -> TwilioHooks:
        """Takes what Twilio sends."""
        return TwilioHooks(TOKEN, self.engine, self.config.recipients)

    def console(self) -> Any:
        """Return the whole console."""
        made = Console(self.engine, self.config, Places.of(self.config), OfflineTranslator(), self.signer)
        return app.build(made, self.hooks)


DAY: Final = timedelta(days=1)


@cache
def site() -> Site:
    """Return the one site of this process."""
    return Site()


def sid(number: int) -> str:
    """Return a message's id as Twilio writes them."""
    return f"SM{number:032x}"


def said() -> Message:
    """Return a caption of a danger as it comes from the MQTT server."""
    return Message(topics.topic(examples.SITE, examples.DEVICE, "caption"), caption.encode(examples.CAPTION))


def _ingest() -> tuple[Read, Sequence[bytes]]:
    """Take in a message whole: read, judged, stored, answered."""
    processor = site().processor

    def read(data: bytes) -> str:
        topic, _, payload = data.partition(b"\n")
        before = dict(processor.counts.refused)
        processor.process([Message(topic.decode("utf-8", errors="replace"), payload)])
        return next((reason for reason, n in processor.counts.refused.items() if n != before.get(reason)), ACCEPTED)

    seed = said()
    other = topics.topic(examples.SITE, examples.DEVICE, "status").encode()
    return read, [seed.topic.encode() + b"\n" + seed.payload, other + b"\n" + b'{"state": "online"}']


def _form(use: Callable[[dict[str, str], str, str], Any], path: str) -> Read:
    def read(data: bytes) -> str:
        pairs = parse_qsl(data.decode("utf-8", errors="replace"), keep_blank_values=True)
        form = dict(pairs)
        signature = str(RequestValidator(TOKEN).compute_signature(HOOK + path, form))
        outcome = use(form, signature, HOOK + path)
        return ACCEPTED if outcome.status < 400 else outcome.reason

    return read


def _status_hook() -> tuple[Read, Sequence[bytes]]:
    forms = [{"MessageSid": sid(1), "MessageStatus": "delivered"}]
    forms += [{"MessageSid": sid(2), "MessageStatus": "failed", "ErrorCode": "30003"}]
    return _form(site().hooks.status, "/twilio/status"), [urlencode(form).encode() for form in forms]


def _reply_hook() -> tuple[Read, Sequence[bytes]]:
    bodies = enumerate(("OK", "확인 #1", "3", "STOP", "what?"))
    forms = [{"MessageSid": sid(100 + n), "From": GUARD, "Body": body, "NumMedia": "0"} for n, body in bodies]
    return _form(site().hooks.inbound, "/twilio/inbound"), [urlencode(form).encode() for form in forms]


def _signature() -> tuple[Read, Sequence[bytes]]:
    """Try signatures: none may be taken."""
    form = {"MessageSid": sid(1), "MessageStatus": "delivered"}
    hooks = site().hooks

    def read(data: bytes) -> str:
        outcome = hooks.status(form, data.decode("latin-1"), [HOOK + "/twilio/status"])
        assert outcome.status == 403, "a signature was forged"
        return outcome.reason

    return read, [str(RequestValidator("another").compute_signature(HOOK, form)).encode(), b""]


def _link() -> tuple[Read, Sequence[bytes]]:
    """Try links: only the ones that were signed here may be taken."""
    signer = site().signer
    good = signer.token(1)

    def read(text: str) -> None:
        # Base64 has several spellings of one signature, so it is the number that may not change.
        assert signer.read(text) == 1, "a link was forged"

    return refusing(lambda data: read(data.decode("utf-8", errors="replace")), Refused), [good.encode()]


def _search() -> tuple[Read, Sequence[bytes]]:
    engine = site().engine
    with writing(engine) as connection:
        search.index(connection, [search_terms.entry(one, "") for one in search.unindexed(connection, limit=10)])

    def read(data: bytes) -> str:
        with reading(engine) as connection:
            search.find(connection, Question(search_terms.asked(data.decode("utf-8", errors="replace"))))
        return ACCEPTED

    return read, [b"a man gun", "남자가 총을".encode(), b'"a" NEAR b*']


DECODERS: Final = (
    Decoder("ingest", _ingest, 1),
    Decoder("twilio-status", _status_hook, 1),
    Decoder("twilio-reply", _reply_hook, 1),
    Decoder("twilio-signature", _signature, 1),
    Decoder("link", _link),
    Decoder("search-index", _search, 1),
)
"""Ingest, web hooks, links and searches."""

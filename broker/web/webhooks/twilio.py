"""Takes what Twilio reports: what became of a message, and what people answer; a web server hands both over."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection, Engine
from twilio.request_validator import RequestValidator

from broker.config.broker import Recipient
from broker.config.channels import e164
from broker.config.incidents import Escalation
from broker.ingest import rejections
from broker.ingest.decoder import Rejection
from broker.notify import delivery_reports, replies, reply_text
from broker.notify.delivery_reports import Report
from broker.notify.message import segments
from broker.notify.opt_out import OptOut
from broker.store.engine import writing
from broker.web.webhooks.reply_actions import ReplyActions

TWIML: Final = "text/xml"
"""Of an answer; the console's framework adds that it is UTF-8."""

MAX_FIELDS: Final = 100
MAX_FORM_CHARS: Final = 16_384
"""Twilio sends some thirty fields, and a text of 1,600 characters at most."""

MAX_ANSWERS_A_MINUTE: Final = 10
"""From one number. What is more is not answered: two robots could talk to each other for ever."""

_sid = re.compile(r"(SM|MM)[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is answered to Twilio, and what it was."""

    status: int
    reason: str
    """A word for logs and counters: `recorded`, `signature`, `unknown-number` …"""
    body: str = ""
    media_type: str = TWIML


class _Refused(Exception):
    """The form is not what Twilio sends; the argument is the reason."""


@dataclass(frozen=True)
class TwilioHooks:
    """Both web hooks of one account. They raise `Locked` where the database cannot be written; Twilio asks again."""

    auth_token: str
    engine: Engine
    recipients: Sequence[Recipient]
    escalation: Sequence[Escalation] = ()
    callback_url: str = ""
    answer_url: str = ""
    """The addresses that are registered at Twilio, for reports and for answers; "" where none is named."""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def status(self, form: Mapping[str, str], signature: str, urls: Sequence[str]) -> Outcome:
        """Take a report of what became of a message.

        It is signed for the registered address or, where none is registered, for one of `urls`.
        """
        known = [self.callback_url] if self.callback_url else []
        return self._take("twilio/status", form, signature, [*known, *urls], self._report)

    def inbound(self, form: Mapping[str, str], signature: str, urls: Sequence[str]) -> Outcome:
        """Take an answer by text message; as `status`."""
        known = [self.answer_url] if self.answer_url else _beside(self.callback_url, urls)
        return self._take("twilio/reply", form, signature, [*known, *urls], self._answer)

    def _take(
        self,
        topic: str,
        form: Mapping[str, str],
        signature: str,
        urls: Sequence[str],
        use: Callable[[Connection, Mapping[str, str]], Outcome],
    ) -> Outcome:
        try:
            self._check(form, signature, urls)
            with writing(self.engine) as connection:
                outcome = use(connection, form)
        except _Refused as refused:
            outcome = Outcome(403 if str(refused) == "signature" else 400, str(refused))
        if outcome.status >= 400 or outcome.reason in ("unknown-number", "too-many"):
            self._count(topic, outcome.reason, form)
        return outcome

    def _check(self, form: Mapping[str, str], signature: str, urls: Sequence[str]) -> None:
        if len(form) > MAX_FIELDS or sum(len(key) + len(value) for key, value in form.items()) > MAX_FORM_CHARS:
            raise _Refused("too-big")
        try:
            validator = RequestValidator(self.auth_token)
            genuine = any(validator.validate(url, dict(form), signature) for url in urls)
        except (ValueError, TypeError) as error:  # half a surrogate pair cannot be signed by anyone
            raise _Refused("signature") from error
        if not genuine:
            raise _Refused("signature")
        if not _sid.fullmatch(form.get("MessageSid", "")):
            raise _Refused("no-message")

    def _report(self, connection: Connection, form: Mapping[str, str]) -> Outcome:
        status = form.get("MessageStatus", "")
        if status not in delivery_reports.ORDER:
            raise _Refused("unknown-status")
        code = form.get("ErrorCode", "")
        detail = f"Twilio error {code}" if re.fullmatch(r"[0-9]{1,6}", code) else ""
        new = delivery_reports.record(connection, Report("twilio", form["MessageSid"], status, detail, self.clock()))
        return Outcome(204, "recorded" if new else "behind")

    def _answer(self, connection: Connection, form: Mapping[str, str]) -> Outcome:
        now = self.clock()
        if replies.is_known(connection, "twilio", form["MessageSid"]):
            return Outcome(200, "again", _twiml(""))
        phone, person = self._sender(form.get("From", ""))
        if person is None:
            return Outcome(200, "unknown-number", _twiml(""))
        if replies.since(connection, phone, at=now - timedelta(minutes=1)) >= MAX_ANSWERS_A_MINUTE:
            return Outcome(200, "too-many", _twiml(""))
        reply = reply_text.read(form.get("Body", ""))
        answer = ReplyActions(OptOut(self.recipients, self.escalation)).apply(connection, person, reply, at=now)
        row = {
            "provider": "twilio",
            "provider_id": form["MessageSid"],
            "at": now,
            "phone": phone,
            "recipient": person.name,
            "text": segments.plain(form.get("Body", "")),
            "meaning": answer.meaning.value,
            "effect": answer.effect.value if answer.effect else "none",
            "incident_id": answer.incident_id,
        }
        replies.add(connection, row)
        return Outcome(200, answer.meaning.value, _twiml(answer.text))

    def _sender(self, number: str) -> tuple[str, Recipient | None]:
        try:
            phone = e164(number[:20])
        except ValueError:
            return "", None
        return phone, next((person for person in self.recipients if person.e164 == phone), None)

    def _count(self, topic: str, reason: str, form: Mapping[str, str]) -> None:
        sample = " ".join(f"{key}={value}" for key, value in sorted(form.items())[:MAX_FIELDS])[:MAX_FORM_CHARS]
        unreadable = Rejection(reason, "a web hook of Twilio's", topic, sample.encode(errors="replace"), None, None)
        with writing(self.engine) as connection:
            rejections.count(connection, unreadable, at=self.clock())


def _beside(callback_url: str, urls: Sequence[str]) -> list[str]:
    """Return the addresses of answers on the host of the registered address of reports."""
    host = urlsplit(callback_url)
    asked = [urlsplit(url) for url in urls]
    return [urlunsplit((host.scheme, host.netloc, one.path, one.query, "")) for one in asked] if host.netloc else []


def _twiml(text: str) -> str:
    """Write an answer as TwiML; an empty one sends nothing."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    inner = f"<Message>{escaped}</Message>" if text else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'

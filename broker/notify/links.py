"""Short signed links by which the recipient of one notification answers it without a login."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from broker.config.broker import LINK_SECRET, Links
from broker.config.errors import Misconfigured
from broker.notify.notifications import Notification
from foundation import secret

SALT: Final = "wordcam answer"
"""Keeps a signature of one purpose from serving another."""

MIN_SECRET_CHARS: Final = 32
"""Of a random word: 32 hexadecimal digits are 128 bits."""

SIGNATURE_CHARS: Final = 11
"""66 bits of HMAC-SHA256: a link has to fit into a text message of 70 characters."""

PATH: Final = "/a/"
"""Where the console answers these links. Opening one must not answer yet: telephones open it for a preview."""

_token = re.compile(rf"([0-9]{{1,18}})-([A-Za-z0-9_-]{{{SIGNATURE_CHARS}}})", re.ASCII)


class Refused(Exception):
    """The link is forged, too old or used up; the message is for the one who followed it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and reads the signed part of links. Nothing of it is stored: it follows from the secret."""

    base_url: str
    secret: str
    valid: timedelta

    @classmethod
    def of(cls, settings: Links) -> "Signer":
        """Take the secret from its file; raises `Misconfigured` where there is none, or it is too short."""
        word = secret.read(settings.secret_file, LINK_SECRET, field="links.secret_file")
        if len(word) < MIN_SECRET_CHARS:
            raise Misconfigured(
                f"links.secret_file: needs a random word of {MIN_SECRET_CHARS} characters or more, such as"
                f" `openssl rand -hex 32` prints; or set {LINK_SECRET}"
            )
        return cls(settings.base_url, word, timedelta(hours=settings.valid_hours))

    def link(self, alert_id: int) -> str:
        """Return the link of one notification."""
        return f"{self.base_url}{PATH}{self.token(alert_id)}"

    def masked(self, alert_id: int) -> str:
        """Return the link as the database and the console keep it: without its signature, and of the same length."""
        return f"{self.base_url}{PATH}{alert_id}-{'*' * SIGNATURE_CHARS}"

    def reveal(self, alert_id: int, text: str) -> str:
        """Return a text with the link in place of the masked one, as it is sent."""
        return text.replace(self.masked(alert_id), self.link(alert_id))

    def token(self, alert_id: int) -> str:
        """Sign the number of a notification."""
        signed = hmac.new(self.secret.encode(), f"{SALT}/{alert_id}".encode(), hashlib.sha256).digest()
        return f"{alert_id}-{base64.urlsafe_b64encode(signed).decode()[:SIGNATURE_CHARS]}"

    def read(self, token: str) -> int:
        """Return the number of the notification; raises `Refused`."""
        found = _token.fullmatch(token)
        if found is None or not hmac.compare_digest(self.token(int(found[1])), token):
            raise Refused("this link is not one of ours")
        return int(found[1])

    def require_valid(self, notification: Notification, *, at: datetime) -> None:
        """Raise `Refused` where the link of a notification is too old."""
        if at >= notification.created_at + self.valid:
            raise Refused("this link is too old")

"""Signed links by which an alert is acknowledged once, without a login."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from itsdangerous import BadSignature, SignatureExpired, TimestampSigner
from sqlalchemy import Connection

from broker.config.broker import LINK_SECRET, Links
from broker.config.errors import Misconfigured
from broker.incidents.responses import Answered, acknowledge
from broker.notify import notifications
from foundation import secret

SALT: Final = "wordcam acknowledge"
"""Keeps a signature of one purpose from serving another."""

MIN_SECRET_CHARS: Final = 32
"""Of a random word: 32 hexadecimal digits are 128 bits."""

PATH: Final = "/a/"
"""Where the console answers these links. Opening one must not acknowledge yet: telephones open it for a preview."""


class Refused(Exception):
    """The link is forged, too old or used up; the message is for the one who followed it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and reads the signed part of links."""

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
        """Return the link of one text message."""
        return f"{self.base_url}{PATH}{self.token(alert_id)}"

    def token(self, alert_id: int) -> str:
        """Sign the number of a text message, with the present time."""
        return self._signer().sign(str(alert_id)).decode()

    def read(self, token: str) -> int:
        """Return the number of the text message; raises `Refused`."""
        try:
            return int(self._signer().unsign(token, max_age=int(self.valid.total_seconds())))
        except SignatureExpired as error:
            raise Refused("this link is too old") from error
        except (BadSignature, ValueError) as error:
            raise Refused("this link is not one of ours") from error

    def _signer(self) -> TimestampSigner:
        return TimestampSigner(self.secret, salt=SALT)


def use(connection: Connection, signer: Signer, token: str, *, at: datetime) -> Answered:
    """Acknowledge by a link, once; raises `Refused`."""
    alert = notifications.get(connection, signer.read(token))
    if alert is None or alert.incident_id is None:
        raise Refused("this link is not one of ours")
    if not notifications.use_link(connection, alert.id, at=at):
        raise Refused("this link was used before")
    return acknowledge(connection, alert.incident_id, by=alert.recipient, how="link", at=at)

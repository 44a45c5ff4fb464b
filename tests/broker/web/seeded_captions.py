"""A site whose guards were told of incidents by Twilio, with links, and what they and Twilio send back."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import yaml
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from broker.config.broker import Config
from broker.incidents import store
from broker.incidents.incident import Incident, State
from broker.notify import notifications
from broker.notify.links import Signer
from broker.notify.notifications import Intent, Kind
from broker.notify.reasons import NotNotifiedYet
from broker.store import captions
from broker.store.engine import open_database, reading, writing
from broker.store.tables import core
from testing.fake_twilio import ACCOUNT, SENDER, TOKEN
from tests.broker.device import event
from tests.broker.web import sample

PUBLIC: Final = "https://wordcam.example"
"""Where the console is for Twilio, and for links; a proxy stands between."""

SECRET: Final = "a long random word of the test, for links"

PEOPLE: Final = [
    {"name": "guard", "phone": "+12025550143", "language": "en"},
    {"name": "경비실", "phone": "+12025550178", "language": "ko"},
]

_numbers = count(1)


def config(folder: Path) -> Path:
    """Write the configuration."""
    (folder / "token").write_text(TOKEN + "\n", encoding="utf-8")
    (folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
    account = {"account_sid": ACCOUNT, "auth_token_file": "token", "sender": SENDER}
    links = {"base_url": PUBLIC, "secret_file": "secret", "valid_hours": 24}
    path = sample.config(folder, recipients=PEOPLE, links=links)
    tree = yaml.safe_load(path.read_text(encoding="utf-8")) | {"twilio": account}
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return path


def signer(of: Config) -> Signer:
    """Sign links as the alert service does."""
    assert of.links is not None
    return Signer.of(of.links)


def without_links(of: Config) -> Config:
    """Return the same site without links in its messages."""
    return msgspec.structs.replace(of, links=None)


def sid(number: int) -> str:
    """Return a message's id as Twilio writes them."""
    return f"SM{number:032x}"


def tell(of: Config, *, person: int = 0) -> Incident:
    """Open an incident, tell someone of it by a text message of the same number, and return it."""
    number = next(_numbers)
    now = datetime.now(UTC)
    site = f"site-{number}"
    said = event("a man is holding a gun", seq=90_000 + number, site=site, captured_at=now, time=now)
    engine = open_database(of.database)
    with writing(engine) as connection:
        stored = captions.add_one(connection, said, received_at=now)
        assert stored is not None
        made = store.start(connection, _incident(site, stored.id, now))
        intent = Intent(f"test/{number}", Kind.FIRST, made.id, stored.id, "gun", site, "critical", (NotNotifiedYet(),))
        alert = notifications.add(connection, intent, to=of.recipients[person], at=now)
        notifications.begin(connection, alert, text="ALERT", provider="twilio", at=now)
        notifications.mark_sent(connection, alert, provider_id=sid(alert), at=now)
    engine.dispose()
    return made


def _incident(site: str, caption_id: int, now: datetime) -> Incident:
    where = ("pi-01/cam-0",)
    return Incident(0, site, "gun", "gun", "critical", State.OPEN, now, now, 1, where, caption_id)


def alert_of(of: Config, incident: Incident) -> notifications.Notification:
    """Return the text message that told of an incident."""
    found = look(of, lambda connection: notifications.of_incident(connection, incident.id))[0]
    assert isinstance(found, notifications.Notification)
    return found


def now(of: Config, incident: Incident) -> Incident:
    """Return an incident as it stands."""
    found = look(of, lambda connection: store.get(connection, incident.id))
    assert isinstance(found, Incident)
    return found


def refused(of: Config) -> Counter[str]:
    """Return how many messages were refused, by reason."""
    table = core.refusal
    rows = look(of, lambda connection: connection.execute(select(table.c.reason, table.c.count)).all())
    counted: Counter[str] = Counter()
    for reason, number in rows:
        counted[reason] += number
    return counted


def look(of: Config, at: Any) -> Any:
    """Read from the database."""
    engine = open_database(of.database)
    try:
        with reading(engine) as connection:
            return at(connection)
    finally:
        engine.dispose()


def do(of: Config, what: Any) -> None:
    """Change the database in a transaction."""
    engine = open_database(of.database)
    with writing(engine) as connection:
        what(connection)
    engine.dispose()


def post(
    address: str, path: str, form: Mapping[str, str], *, signature: str | None = None, at: str = PUBLIC
) -> httpx.Response:
    """Send a form as Twilio does: signed for the address that Twilio knows, unless another signature is given."""
    signed = str(RequestValidator(TOKEN).compute_signature(at + path, dict(form))) if signature is None else signature
    headers = {b"X-Twilio-Signature": signed.encode("latin-1")}
    return httpx.post(address + path, data=dict(form), headers=headers, timeout=30)

"""`POST /enrol`: what it says to whoever may not have a certificate."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from broker.config import broker as config_file
from broker.config.broker import Config
from broker.config.enrolment import Enrolment
from broker.ingest.enrolment import authority, invitations
from broker.store import migrate
from broker.store.engine import open_database
from contract.enrolment import Request
from testing.waiting import PATIENCE_SECONDS
from tests.broker.web import sample
from tests.broker.web.serving import serving

NOW = datetime(2026, 3, 13, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.create(tmp_path_factory.mktemp("site") / "authority", now=NOW).folder


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Config:
    plain = config_file.load(sample.config(tmp_path_factory.mktemp("console")))
    engine = open_database(plain.database)
    migrate.migrate(engine)
    engine.dispose()
    here = Enrolment(folder=folder, url="https://wordcam.example", mqtt_host="wordcam.example")
    return msgspec.structs.replace(plain, enrolment=here)


@pytest.fixture(scope="module")
def console(config: Config) -> Iterator[httpx.Client]:
    with serving(config) as address, httpx.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
        yield client


def test_a_stranger_without_a_token_gets_nothing(console: httpx.Client, folder: Path) -> None:
    before = sorted((folder / "issued").iterdir())

    said = console.post("/enrol", json={"token": "x" * 43, "request": "-----BEGIN CERTIFICATE REQUEST-----"})

    assert said.status_code == 400
    assert sorted((folder / "issued").iterdir()) == before


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"\xff\xfe", b'{"token": 1}', b'{"token": "../../ca", "request": "a"}', b"[" * 20_000]
)
def test_what_is_no_request_is_refused_in_words(console: httpx.Client, body: bytes) -> None:
    said = console.post("/enrol", content=body, headers={"content-type": "application/json"})

    assert said.status_code == 400
    assert said.json()["problem"]


def test_an_expired_invitation_says_what_to_do(console: httpx.Client, folder: Path) -> None:
    token, _ = invitations.invite(authority.load(folder), "north-gate", "pi-01", now=NOW)

    said = console.post("/enrol", json={"token": token, "request": signing_request()})

    assert said.status_code == 410
    assert "wordcam-broker enroll" in said.json()["problem"]


def test_the_token_is_nowhere_on_the_servers_disk(folder: Path) -> None:
    token, _ = invitations.invite(authority.load(folder), "north-gate", "pi-02", now=NOW)

    assert not [path for path in folder.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]


def signing_request() -> str:
    """A good request of some device."""

    made = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(authority.new_key(), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def test_a_server_that_ended_between_two_steps_revokes_the_earlier_certificate_when_it_is_asked_again(
    folder: Path,
) -> None:
    site = authority.load(folder)
    token, _ = invitations.invite(site, "north-gate", "pi-03", now=NOW)
    asked = Request(token=token, request=signing_request())
    first = invitations.enrol(site, asked, now=NOW)
    left = site.certify(authority.new_key(), "north-gate/pi-03", now=NOW)  # as if it had not been revoked yet

    again = invitations.enrol(site, asked, now=NOW)

    assert (again.is_repeated, again.replaced, again.answer) == (True, 1, first.answer)
    assert left.serial_number not in {one.serial_number for one in site.issued_to("north-gate/pi-03")}

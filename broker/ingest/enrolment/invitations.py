"""Invitations: a device proves by a token, once, that it may have a certificate under its name."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.config.enrolment import Enrolment
from broker.ingest.enrolment import authority
from broker.ingest.enrolment.authority import Authority
from contract.caption import Name
from contract.enrolment import Certified, Invitation, Request

FOLDER: Final = "invitations"

VALID_FOR: Final = timedelta(days=7)
"""An invitation that is written on a card may be used next week."""


class Refusal(StrEnum):
    """Why no certificate was given."""

    UNKNOWN = "unknown"
    """No such invitation: mistyped, or withdrawn because the device was revoked."""
    EXPIRED = "expired"
    USED = "used"
    """Another key has used it: a card was copied, or somebody was faster."""
    NO_REQUEST = "no-request"
    """What came with it is no signing request, or is not signed by its own key."""


class NotEnrolled(Exception):
    """An invitation did not lead to a certificate."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the authority's folder keeps of an invitation; the token itself is in the device's hands alone."""

    site: Name
    device: Name
    until: datetime
    key: str = ""
    """SHA-256 of the public key that used it; "" until then."""
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device that has got its certificate."""

    site: str
    device: str
    answer: Certified
    replaced: int
    """Earlier certificates of this name, which are revoked by this one."""
    is_repeated: bool
    """Whether the same key has asked again, because the first answer did not arrive."""


def new_token() -> str:
    """Make 32 random bytes, as 43 letters."""
    return secrets.token_urlsafe(32)


def invite(site_authority: Authority, site: str, device: str, *, now: datetime) -> tuple[str, datetime]:
    """Make an invitation; return its token, and until when it is valid. Earlier ones of this device end."""
    withdraw(site_authority, site, device)
    token, until = new_token(), now + VALID_FOR
    authority.make_folder(site_authority.folder / FOLDER)
    _keep(_place(site_authority, token), Kept(site=site, device=device, until=until))
    return token, until


def find(site_authority: Authority, token: str) -> Kept:
    """Return what is kept of an invitation, used or not; raises `NotEnrolled` where there is none."""
    return _kept(_place(site_authority, token))


def written(site_authority: Authority, token: str, kept: Kept, settings: Enrolment) -> Invitation:
    """Return an invitation as the device gets it: a file that names it, the console and the MQTT server."""
    return Invitation(
        site=kept.site,
        device=kept.device,
        url=settings.url,
        token=token,
        authority=site_authority.pem,
        mqtt_host=settings.mqtt_host,
        mqtt_port=settings.mqtt_port,
        until=kept.until,
    )


def withdraw(site_authority: Authority, site: str, device: str) -> int:
    """End all invitations of a device, used or not; returns how many."""
    found = 0
    for path in (site_authority.folder / FOLDER).glob("*.json"):
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
        if (kept.site, kept.device) == (site, device):
            path.unlink(missing_ok=True)
            found += 1
    return found


def enrol(site_authority: Authority, asked: Request, *, now: datetime) -> Enrolled:
    """Give a device its certificate; raises `NotEnrolled`.

    The key that has used a token gets its certificate again as often as it asks, for an answer may be lost on the way.
    """
    request = _request(asked.request)
    key = hashlib.sha256(request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    path = _place(site_authority, asked.token)
    with site_authority.locked():
        kept = _kept(path)
        is_repeated = bool(kept.key)
        if is_repeated and kept.key != key:
            raise NotEnrolled(Refusal.USED)
        if not is_repeated:
            if now >= kept.until:
                raise NotEnrolled(Refusal.EXPIRED)
            signed = site_authority.sign(request, f"{kept.site}/{kept.device}", now=now)
            kept = msgspec.structs.replace(kept, key=key, certificate=authority.pem(signed))
            _keep(path, kept)
    # Also when it asks again: a power cut may have come between its certificate and the end of the earlier one.
    issued = site_authority.issued_to(f"{kept.site}/{kept.device}")
    earlier = [one for one in issued if authority.pem(one) != kept.certificate]
    if earlier:
        site_authority.revoke(earlier, now=now)
    answer = Certified(certificate=kept.certificate, authority=site_authority.pem)
    return Enrolled(kept.site, kept.device, answer, replaced=len(earlier), is_repeated=is_repeated)


def _request(text: str) -> x509.CertificateSigningRequest:
    try:
        request = x509.load_pem_x509_csr(text.encode())
        if request.is_signature_valid:
            return request
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NotEnrolled(Refusal.NO_REQUEST) from error
    raise NotEnrolled(Refusal.NO_REQUEST)


def _place(site_authority: Authority, token: str) -> Path:
    return site_authority.folder / FOLDER / f"{hashlib.sha256(token.encode()).hexdigest()}.json"


def _kept(path: Path) -> Kept:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError:
        raise NotEnrolled(Refusal.UNKNOWN) from None


def _keep(path: Path, kept: Kept) -> None:
    authority.write(path, msgspec.json.encode(kept).decode(), mode=0o600)

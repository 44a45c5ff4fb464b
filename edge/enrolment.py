"""`wordcam-edge enroll`: make this device's key, have it certified by whom it was invited, and write `edge.yaml`."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib import request
from urllib.error import HTTPError

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract import enrolment
from contract.enrolment import Certified, Invitation, Request
from contract.errors import Refused
from edge import starter
from edge.config import Config
from edge.errors import Misconfigured, TryAgain
from foundation import whole_file
from foundation.errors import from_os_error

PATIENCE_SECONDS: Final = 30

TRY_LATER: Final = frozenset({429, 500, 502, 503, 504})
"""HTTP statuses that pass by themselves; the others do not."""


@dataclass(frozen=True, slots=True)
class Files:
    """What enrolment leaves beside `edge.yaml`."""

    folder: Path
    models_url: str = ""
    """Where new models come from; "" where the server has none."""

    @property
    def key(self) -> Path:
        """The private key, which is made here and stays here."""
        return self.folder / "device.key"

    @property
    def certificate(self) -> Path:
        """What the server knows this device by."""
        return self.folder / "device.crt"

    @property
    def authority(self) -> Path:
        """What this device knows the server by."""
        return self.folder / "ca.crt"

    @property
    def models_root(self) -> Path:
        """Whose signatures count for new models; it may be missing."""
        return self.folder / "models-root.json"


def read(path: Path) -> Invitation:
    """Read an invitation; raises `Misconfigured`."""
    try:
        return enrolment.read(path.read_bytes(), Invitation)
    except OSError as error:
        raise from_os_error(error, str(path)) from error
    except Refused as error:
        raise Misconfigured(f"{path}: is no invitation as `wordcam-broker enroll` writes it: {error.detail}") from error


def enrol(invitation: Invitation, config: Path) -> Files:
    """Get this device's certificate, and write it with the authority's beside `config`.

    It may be run again after any failure: the key is kept, and the server gives a key that it has certified the same
    certificate again. Raises `Misconfigured` where the invitation is refused, `TryAgain` where the server is away.
    """
    files = Files(config.parent / starter.TLS_FOLDER)
    try:
        files.folder.mkdir(parents=True, exist_ok=True)
        key = _key(files.key)
        answer = _ask(invitation, _signing_request(key, invitation))
        _require_ours(answer.certificate, key, invitation)
        whole_file.write(files.authority, answer.authority)
        whole_file.write(files.certificate, answer.certificate)
        if answer.models is not msgspec.UNSET:
            whole_file.write(files.models_root, answer.models.root)
    except OSError as error:
        raise from_os_error(error, str(files.folder)) from error
    return files if answer.models is msgspec.UNSET else replace(files, models_url=answer.models.url)


def differences(settings: Config, invitation: Invitation, files: Files) -> Iterator[str]:
    """Yield what an `edge.yaml` that is there says otherwise than the invitation, as what to write."""
    tls = settings.mqtt.tls
    for key, found, right in (
        ("site", settings.site, invitation.site),
        ("device", settings.device, invitation.device),
        ("mqtt.host", settings.mqtt.host, invitation.mqtt_host),
        ("mqtt.port", settings.mqtt.port or 8883, invitation.mqtt_port),
        ("mqtt.tls.ca_file", tls and tls.ca_file, files.authority.absolute()),
        ("mqtt.tls.cert_file", tls and tls.cert_file, files.certificate.absolute()),
        ("mqtt.tls.key_file", tls and tls.key_file, files.key.absolute()),
        *_updates(settings, files),
    ):
        if found != right:
            yield f"{key}: {right}"


def _updates(settings: Config, files: Files) -> Iterator[tuple[str, object, object]]:
    if files.models_url:
        own = settings.updates
        yield "updates.url", own and own.url, files.models_url
        yield "updates.root_file", own and own.root_file, files.models_root.absolute()


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if path.exists():
        try:
            found = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except ValueError as error:
            raise Misconfigured(f"{path}: is no private key; move it away and run this again") from error
        if isinstance(found, ec.EllipticCurvePrivateKey):
            return found
        raise Misconfigured(f"{path}: is another kind of key than this program makes; move it away and run this again")
    made = ec.generate_private_key(ec.SECP256R1())
    kind = serialization.PrivateFormat.PKCS8
    whole_file.write(
        path, made.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode(), mode=0o600
    )
    return made


def _signing_request(key: ec.EllipticCurvePrivateKey, invitation: Invitation) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{invitation.site}/{invitation.device}")])
    made = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _ask(invitation: Invitation, signing_request: str) -> Certified:
    # A site's own authority as well as a public one: a proxy may stand before the console.
    trusted = ssl.create_default_context()
    trusted.load_verify_locations(cadata=invitation.authority)
    body = msgspec.json.encode(Request(token=invitation.token, request=signing_request))
    headers = {"Content-Type": "application/json"}
    call = request.Request(f"{invitation.url}/enrol", body, headers)  # noqa: S310 - the schema takes http(s) alone
    try:
        with request.urlopen(call, timeout=PATIENCE_SECONDS, context=trusted) as answer:  # noqa: S310 - as above
            return enrolment.read(answer.read(enrolment.LONGEST_BYTES + 1), Certified)
    except HTTPError as error:
        raise _refused(invitation.url, error) from error
    except ssl.SSLError as error:
        raise Misconfigured(
            f"{invitation.url}: {error.reason or error}; is this the server of the invitation?"
        ) from error
    except Refused as error:
        raise Misconfigured(f"{invitation.url}: answers, but is no wordcam console: {error.detail}") from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise Misconfigured(_distrust(invitation, reason)) from error
        raise TryAgain(f"{invitation.url}: cannot be reached ({reason}); nothing is lost, run this again") from error


def _distrust(invitation: Invitation, error: ssl.SSLCertVerificationError) -> str:
    clock = datetime.now(UTC)
    if "not yet valid" in error.verify_message or "expired" in error.verify_message:
        return f"{invitation.url}: {error.verify_message}; this device's clock says {clock:%Y-%m-%d %H:%M} UTC: set it"
    return f"{invitation.url}: {error.verify_message}; the server is not the one of the invitation, or has another name"


def _refused(url: str, error: HTTPError) -> Misconfigured | TryAgain:
    try:
        said = str(json.loads(error.read(enrolment.LONGEST_BYTES))["problem"])
    except (ValueError, KeyError, TypeError, OSError):
        said = str(error.reason)
    kind = TryAgain if error.code in TRY_LATER else Misconfigured
    return kind(f"{url}: {said}")


def _require_ours(text: str, key: ec.EllipticCurvePrivateKey, invitation: Invitation) -> None:
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise Misconfigured(f"{invitation.url}: its answer is no certificate") from error
    names = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if certificate.public_key() != key.public_key() or names != [f"{invitation.site}/{invitation.device}"]:
        raise Misconfigured(f"{invitation.url}: certifies {', '.join(names)} or another key, not this device")

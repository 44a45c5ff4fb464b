"""The site's certificate authority: a folder with its key, what it has signed, and what it has revoked (RFC 5280)."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker.config.errors import Misconfigured
from foundation import whole_file
from foundation.errors import from_os_error

BACKDATED: Final = timedelta(days=30)
"""Certificates begin before they are made: a device without a battery clock wakes up in the past."""

AUTHORITY_FOR: Final = timedelta(days=3653)
DEVICE_FOR: Final = timedelta(days=1826)
"""Five years; a device that is lost is revoked, and does not wait for the end."""

KEY, CERTIFICATE, REVOKED, ISSUED = "ca.key", "ca.crt", "revoked.crl", "issued"

_SIGNS: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
"""What an authority's key is for. From Python 3.13 on, TLS refuses authorities that do not say so."""

PrivateKey = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority in a folder. Its key can certify devices that do not exist, and only its owner may read it."""

    folder: Path
    key: PrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """Its certificate, in PEM."""
        return pem(self.certificate)

    def sign(self, request: x509.CertificateSigningRequest, identity: str, *, now: datetime) -> x509.Certificate:
        """Certify a device's key under `site/device`, whatever the request calls it; keeps a copy."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._issue(request.public_key(), identity, usage, now=now, valid=DEVICE_FOR)

    def certify(self, key: PrivateKey, name: str, *, now: datetime, hosts: Sequence[str] = ()) -> x509.Certificate:
        """Certify one of the server's own keys: under `hosts` for what is called, without for what calls."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._issue(key.public_key(), name, usage, now=now, valid=AUTHORITY_FOR - timedelta(days=1), hosts=hosts)

    def issued_to(self, identity: str) -> list[x509.Certificate]:
        """Return every certificate of an identity that has not been revoked."""
        revoked = self._revocations()
        found = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (self.folder / ISSUED).glob("*.crt"))
        return [one for one in found if _name(one) == identity and one.serial_number not in revoked]

    def revoke(self, certificates: Sequence[x509.Certificate], *, now: datetime) -> None:
        """Put certificates on the list of revoked ones, which Mosquitto reads when it starts."""
        with self.locked():
            moments = self._revocations() | {one.serial_number: now for one in certificates}
            self._write_revocations(moments, now=now)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from changing the folder meanwhile."""
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _issue(  # noqa: PLR0913 - the fields of a certificate
        self,
        key: object,
        name: str,
        usage: x509.ExtendedKeyUsage,
        *,
        now: datetime,
        valid: timedelta,
        hosts: Sequence[str] = (),
    ) -> x509.Certificate:
        begin = max(now - BACKDATED, self.certificate.not_valid_before_utc)
        end = min(now + valid, self.certificate.not_valid_after_utc)
        builder = (
            x509.CertificateBuilder(self.certificate.subject, _called(name), serial_number=x509.random_serial_number())
            .public_key(key)  # type: ignore[arg-type]  # of any kind that a request can hold
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(_above(self.certificate), critical=False)
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
            )
        certificate = builder.sign(self.key, hashes.SHA256())
        write(self.folder / ISSUED / f"{certificate.serial_number:x}.crt", pem(certificate))
        return certificate

    def _revocations(self) -> dict[int, datetime]:
        listed = x509.load_pem_x509_crl((self.folder / REVOKED).read_bytes())
        return {one.serial_number: one.revocation_date_utc for one in listed}

    def _write_revocations(self, moments: dict[int, datetime], *, now: datetime) -> None:
        # A list that is out of date locks everybody out, and only a revocation renews it.
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, now - BACKDATED, now + AUTHORITY_FOR)
        for number, moment in moments.items():
            one = x509.RevokedCertificateBuilder(number, moment).build()
            builder = builder.add_revoked_certificate(one)
        listed = builder.sign(self.key, hashes.SHA256())
        write(self.folder / REVOKED, listed.public_bytes(serialization.Encoding.PEM).decode())


def create(folder: Path, *, now: datetime) -> Authority:
    """Make an authority in a folder of its own; raises `Misconfigured` where one is there already."""
    if (folder / KEY).exists():
        raise Misconfigured(f"{folder / KEY}: there is an authority already, and devices that trust it")
    make_folder(folder / ISSUED)
    folder.chmod(0o711)  # its key is its owner's; Mosquitto, another user, reads the certificate and what is revoked
    key = new_key()
    name = _called("wordcam site authority")
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + AUTHORITY_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write(folder / CERTIFICATE, pem(certificate))
    made = Authority(folder, key, certificate)
    made._write_revocations({}, now=now)
    write(folder / KEY, key_pem(key), mode=0o600)
    return made


def load(folder: Path) -> Authority:
    """Open the authority of a folder; raises `Misconfigured` where there is none."""
    try:
        key = serialization.load_pem_private_key((folder / KEY).read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
    except FileNotFoundError as error:
        raise Misconfigured(f"{error.filename}: no authority is there; `wordcam-broker setup` makes one") from error
    except OSError as error:
        raise from_os_error(error, str(folder)) from error
    except ValueError as error:
        raise Misconfigured(f"{folder}: {KEY} and {CERTIFICATE} must be a key and a certificate in PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Misconfigured(f"{folder / KEY}: an elliptic curve key is expected, as `wordcam-broker setup` makes it")
    return Authority(folder, key, certificate)


def new_key() -> PrivateKey:
    """Make a private key: P-256, which every TLS library knows."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: PrivateKey) -> str:
    """Return a private key in PEM, without a password."""
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file whole or not at all, with its permissions from the start; raises `Misconfigured`, `TryAgain`."""
    try:
        whole_file.write(path, text, mode=mode)
    except OSError as error:
        raise from_os_error(error, str(path)) from error


def make_folder(path: Path) -> None:
    """Make a folder and those above it; raises `Misconfigured`, `TryAgain`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, str(path)) from error


def pem(certificate: x509.Certificate) -> str:
    """Return a certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _above(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    found = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)

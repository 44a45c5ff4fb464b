"""The key that signs system updates, and the certificate by which an image knows it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge.errors import Misconfigured
from foundation import whole_file

KEY: Final = "update.key"
CERTIFICATE: Final = "update.crt"

VALID: Final = timedelta(days=20 * 365)
"""Longer than a device lasts: where it has expired, no update can bring another one."""

BACKDATED: Final = timedelta(days=30)


def make(folder: Path, now: datetime | None = None) -> None:
    """Write a new key, readable for its owner alone, and its certificate; raises `Misconfigured` where one is there."""
    for name in (KEY, CERTIFICATE):
        if (folder / name).exists():
            raise Misconfigured(f"{folder / name}: is there already; images that know it take no other key's updates")
    moment = now or datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    folder.mkdir(parents=True, exist_ok=True)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    whole_file.write(folder / KEY, private, mode=0o600)
    certificate = _certificate(key, moment)
    whole_file.write(folder / CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM))


def _certificate(key: ec.EllipticCurvePrivateKey, moment: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wordcam system updates")])
    usage = {
        name: name == "digital_signature"
        for name in (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        )
    }
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - BACKDATED)
        .not_valid_after(moment + VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )

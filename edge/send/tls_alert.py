"""What a server's TLS alert means for the operator of a device (RFC 8446, section 6.2)."""

from typing import Final

ANEW: Final = "invite it anew: `wordcam-broker enroll SITE/DEVICE` on the server, then `wordcam-edge enroll FILE` here"

ALERTS: Final = {
    "certificate revoked": f"the server says that this device's certificate is revoked; {ANEW}",
    "certificate expired": f"the server says that this device's certificate has expired; {ANEW}",
    "unknown ca": "the server does not know the authority that certified this device; see `mqtt.tls.cert_file`",
    "certificate required": "the server wants a certificate of this device; see `mqtt.tls.cert_file`",
    "bad certificate": "the server does not accept this device's certificate; see `mqtt.tls.cert_file`",
    "unsupported certificate": "the server does not accept this kind of certificate; see `mqtt.tls.cert_file`",
    "certificate unknown": "the server does not accept this device's certificate; see `mqtt.tls.cert_file`",
    "access denied": "the server does not let this device in; see its users and access list",
    "protocol version": "the server speaks another version of TLS",
    "handshake failure": "the server and this device agree on no way to encrypt",
}
"""By the alert's name, as OpenSSL words it."""

SILENT: Final = (
    "the server ended the encrypted connection without a word; is this device's certificate revoked or of another "
    f"authority? See the server's log; or {ANEW}"
)
"""Where the alert was lost on the way: the server closed before it could be read."""


def meaning(error: str) -> str:
    """Return what an error of OpenSSL says that the server said; "" where it is none of its alerts."""
    words = error.lower().replace("_", " ")
    return next((meant for name, meant in ALERTS.items() if f"alert {name}" in words), "")

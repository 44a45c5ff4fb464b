"""The keys that sign the repository of models: Ed25519, one file each (PEM, PKCS #8)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from broker.config.errors import Misconfigured
from foundation import whole_file
from foundation.errors import from_os_error

ROOT: Final = "root"
ONLINE: Final = ("targets", "snapshot", "timestamp")
"""Roles whose keys lie on the server; `root` alone says whose signatures count, and lies elsewhere."""

SUFFIX: Final = ".pem"


def make(folder: Path, name: str) -> CryptoSigner:
    """Make a key and keep it in a folder; raises `Misconfigured` where one of that name is there."""
    path = folder / f"{name}{SUFFIX}"
    if path.exists():
        raise Misconfigured(f"{path}: there is a key already; nothing was changed")
    key = Ed25519PrivateKey.generate()
    kind = serialization.PrivateFormat.PKCS8
    written = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole_file.write(path, written, mode=0o600)
    except OSError as error:
        raise from_os_error(error, str(path)) from error
    return CryptoSigner(key)


def load(path: Path) -> CryptoSigner:
    """Read a key; raises `Misconfigured`, `TryAgain`."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as error:
        raise Misconfigured(f"{path}: no key is there; `wordcam-broker models init` makes it") from error
    except OSError as error:
        raise from_os_error(error, str(path)) from error
    except (ValueError, TypeError) as error:
        raise Misconfigured(f"{path}: is no private key in PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{path}: an Ed25519 key is expected, as `wordcam-broker models init` makes it")
    return CryptoSigner(key)


def all_in(folder: Path) -> Iterator[tuple[Path, CryptoSigner]]:
    """Yield every key of a folder, by the name of its file; raises `Misconfigured`."""
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    if not paths:
        raise Misconfigured(f"{folder}: holds no key; name the folder that `wordcam-broker models init` wrote")
    for path in paths:
        yield path, load(path)

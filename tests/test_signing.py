"""A bundle is signed and verified by the stock OpenSSF model-signing: it is a folder of plain files."""

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).resolve().parent.parent

TOOL = ROOT / ".cache" / "signing" / "bin" / "model_signing"

pytestmark = [
    pytest.mark.signing,
    pytest.mark.skipif(not TOOL.exists(), reason="`make test-signing` installs model-signing"),
]


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A copy of the shipped bundle, its maker's keys, and a signature."""
    shutil.copytree(ROOT / "models" / "wordcam-1", tmp_path / "bundle")
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "maker.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (tmp_path / "maker.pub").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    done = model_signing(tmp_path, "sign", "--private_key", "maker.pem")
    assert done.returncode == 0, done.stderr
    return tmp_path


def model_signing(folder: Path, verb: str, option: str, key: str) -> subprocess.CompletedProcess[str]:
    words = [str(TOOL), verb, "key", "bundle", option, key, "--signature", "bundle.sig"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


def test_a_bundle_is_verified(signed: Path) -> None:
    done = model_signing(signed, "verify", "--public_key", "maker.pub")

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["encoder.tflite", "manifest.json", "vocabulary.txt"])
def test_an_altered_bundle_is_not(name: str, signed: Path) -> None:
    path = signed / "bundle" / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")

    assert model_signing(signed, "verify", "--public_key", "maker.pub").returncode != 0

"""The connection: TLS with a real Mosquitto and real certificates."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge import config
from edge.errors import Misconfigured, TryAgain
from edge.send import mqtt, tls_alert
from edge.send.mqtt import Connection, Down, Event, Received, Up, Will
from testing.mosquitto import Mosquitto

SECONDS = 20


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, a server's and a device's certificate, and another authority that signed neither."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    folder = tmp_path_factory.mktemp("keys")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for name in ("ca", "other"):
        openssl("req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
    for name, extension in (("server", "subjectAltName=IP:127.0.0.1"), ("device", "extendedKeyUsage=clientAuth")):
        (folder / "extensions").write_text(extension, encoding="ascii")
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions"]
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signing)
    return folder


@contextmanager
def encrypted(keys: Path, folder: Path) -> Iterator[Mosquitto]:
    """A Mosquitto that shows its certificate and asks for the device's."""
    files = (f"cafile {keys}/ca.pem", f"certfile {keys}/server.pem", f"keyfile {keys}/server.key")
    with Mosquitto(folder / "mosquitto", lines=(*files, "require_certificate true")) as server:
        yield server


def connection(server: Mosquitto, tls: config.Tls | None) -> Connection:
    settings = config.Mqtt(host=server.host, port=server.port, tls=tls)
    return Connection(settings, client_id="device", subscription="acks", will=Will("will", b""), window=5)


def first_event(made: Connection) -> Event:
    made.open()
    try:
        return made.events.get(timeout=SECONDS)
    finally:
        made.close()


def test_with_the_right_certificates_the_server_lets_us_in(keys: Path, tmp_path: Path) -> None:
    tls = config.Tls(ca_file=keys / "ca.pem", cert_file=keys / "device.pem", key_file=keys / "device.key")

    with encrypted(keys, tmp_path) as server:
        assert first_event(connection(server, tls)) == Up()


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_a_server_of_another_authority_is_not_believed(keys: Path, tmp_path: Path) -> None:
    with (
        encrypted(keys, tmp_path) as server,
        pytest.raises(TryAgain, match=r"TLS failed: .*certificate.*; see `mqtt.tls`"),
    ):
        connection(server, config.Tls(ca_file=keys / "other.pem")).open()


@contextmanager
def revoking(keys: Path, folder: Path) -> Iterator[Mosquitto]:
    """The same, with the device's certificate among those that are revoked."""
    (folder / "index.txt").touch()
    section = "[ca]\ndefault_ca=it\n[it]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\n"
    (folder / "ca.conf").write_text(section, encoding="ascii")
    ca = ["openssl", "ca", "-config", "ca.conf", "-keyfile", str(keys / "ca.key"), "-cert", str(keys / "ca.pem")]
    for asked in (["-revoke", str(keys / "device.pem")], ["-gencrl", "-out", "revoked.pem"]):
        subprocess.run([*ca, *asked], check=True, capture_output=True, cwd=folder)
    files = (f"cafile {keys}/ca.pem", f"certfile {keys}/server.pem", f"keyfile {keys}/server.key")
    lines = (*files, "require_certificate true", f"crlfile {folder}/revoked.pem")
    with Mosquitto(folder / "mosquitto", lines=lines) as server:
        yield server


@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_a_revoked_certificate_is_said_in_plain_words(keys: Path, tmp_path: Path) -> None:
    tls = config.Tls(ca_file=keys / "ca.pem", cert_file=keys / "device.pem", key_file=keys / "device.key")

    with revoking(keys, tmp_path) as server:
        try:
            event = first_event(connection(server, tls))
        except TryAgain as error:
            event = Down(str(error))

    assert isinstance(event, Down)
    assert "revoked" in event.why
    assert "wordcam-edge enroll FILE" in event.why
    assert "Unspecified" not in event.why


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("[SSL: SSLV3_ALERT_CERTIFICATE_REVOKED] sslv3 alert certificate revoked (_ssl.c:2580)", "is revoked"),
        ("failed to receive on socket: [SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca", "does not know"),
        ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required", "wants a certificate"),
        ("[SSL: SSL/TLS_ALERT_CERTIFICATE_EXPIRED] ssl/tls alert certificate expired", "has expired"),
        ("[Errno 104] Connection reset by peer", ""),
    ],
)
def test_each_alert_of_a_server_has_its_words(error: str, said: str) -> None:
    assert said in tls_alert.meaning(error)
    assert bool(tls_alert.meaning(error)) is bool(said)


def test_without_our_certificate_we_are_never_up(keys: Path, tmp_path: Path) -> None:
    with encrypted(keys, tmp_path) as server:
        try:
            event = first_event(connection(server, config.Tls(ca_file=keys / "ca.pem")))
        except TryAgain as error:
            event = Down(str(error))

    assert isinstance(event, Down)


def test_plain_talk_to_an_encrypted_server_is_never_up(keys: Path, tmp_path: Path) -> None:
    with encrypted(keys, tmp_path) as server:
        assert isinstance(first_event(connection(server, None)), Down)


def test_a_key_that_does_not_fit_its_certificate_is_named(keys: Path, mosquitto: Mosquitto) -> None:
    tls = config.Tls(ca_file=keys / "ca.pem", cert_file=keys / "device.pem", key_file=keys / "server.key")

    with pytest.raises(Misconfigured, match=r"`mqtt\.tls`: .*; see .*device\.pem.*server\.key"):
        connection(mosquitto, tls)


def test_where_nobody_listens_the_address_is_named(tmp_path: Path) -> None:
    server = Mosquitto(tmp_path)

    with pytest.raises(TryAgain, match=f"127.0.0.1:{server.port}: Connection refused"):
        connection(server, None).open()


def test_what_is_published_on_the_subscription_comes_as_an_event(mosquitto: Mosquitto) -> None:
    made = connection(mosquitto, None)
    made.open()
    assert made.events.get(timeout=SECONDS) == Up()

    assert made.publish("acks", b"hello")

    assert made.events.get(timeout=SECONDS) == Received(b"hello", "acks")
    made.close()


def test_a_closed_connection_takes_nothing(mosquitto: Mosquitto) -> None:
    made = connection(mosquitto, None)
    made.open()
    made.events.get(timeout=SECONDS)
    mosquitto.stop()
    assert isinstance(made.events.get(timeout=SECONDS), Down)

    begin = time.monotonic()
    assert not made.publish("acks", b"hello")
    made.close(Will("will", b"gone"))

    assert time.monotonic() - begin < SECONDS


@pytest.mark.parametrize(("tls", "port"), [(None, 1883), (config.Tls(), 8883)])
def test_the_port_is_the_registered_one_unless_set(tls: config.Tls | None, port: int) -> None:
    assert mqtt.port_of(config.Mqtt(host="h", tls=tls)) == port
    assert mqtt.port_of(config.Mqtt(host="h", tls=tls, port=99)) == 99

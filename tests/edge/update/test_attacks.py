"""What an attacker who holds the network, the web server or the MQTT server can do to a device's model: nothing.

Each test is a row of the table in docs/updates.md. The files are those of a real repository, the server is a real one.
"""

import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broker.ingest.rollout import keys, repository
from contract import package
from contract.errors import Refused
from contract.update import Progress, Reason
from edge.update.fetcher import Patience
from testing.file_server import FileServer, Misbehaviour
from tests.edge.update.publisher import IMPATIENT, RUNNING, Device, Site

REFUSED, WAITING = Progress.REFUSED, Progress.WAITING


@pytest.fixture(autouse=True)
def _the_old_model_goes_on(device: Device) -> object:
    yield
    assert device.in_place == RUNNING
    assert not (device.installed.folder / "draft").exists()


def test_an_altered_package_is_refused(site: Site, server: FileServer, device: Device) -> None:
    server.misbehaviour[".tar"] = Misbehaviour.FLIPPED

    assert device.why_not(site.target) == (REFUSED, Reason.ALTERED)


def test_an_altered_list_is_refused(site: Site, device: Device) -> None:
    path = site.served / repository.METADATA / "2.targets.json"
    path.write_bytes(path.read_bytes().replace(b"standard/", b"stanbard/"))

    assert device.why_not(site.target) == (REFUSED, Reason.SIGNATURE)


def test_an_older_state_that_is_replayed_is_refused(site: Site, device: Device) -> None:
    before = site.metadata()
    newer = site.publish("1.2.0", "another-class")
    device.take(newer)  # refused for its class, but the lists have been seen

    site.put(before)

    assert device.why_not(site.target) == (REFUSED, Reason.OLD_METADATA)


def test_a_state_that_has_expired_is_refused(site: Site, device: Device) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=31)
    site.repository.refresh(now=long_ago)

    assert device.why_not(site.target) == (REFUSED, Reason.EXPIRED)


def test_lists_that_do_not_belong_together_are_refused(site: Site, device: Device) -> None:
    before = site.metadata()
    site.publish("1.2.0")
    mixed = {"3.targets.json": before["2.targets.json"]}

    site.put(site.metadata(), mixed)

    assert device.why_not(site.target) == (REFUSED, Reason.OLD_METADATA)


def test_a_snapshot_of_another_time_is_refused(site: Site, device: Device) -> None:
    before = site.metadata()
    site.publish("1.2.0")
    newest = max(name for name in site.metadata() if name.endswith("snapshot.json"))

    site.put(site.metadata(), {newest: before["2.snapshot.json"]})

    assert device.why_not(site.target) == (REFUSED, Reason.OLD_METADATA)


def test_a_package_for_another_class_of_devices_is_refused_before_it_is_fetched(
    site: Site, server: FileServer, device: Device
) -> None:
    target = site.publish("1.2.0", "large")

    assert device.why_not(target) == (REFUSED, Reason.DEVICE_CLASS)
    assert not [path for path, _ in server.requests if path.endswith(".tar")]


def test_a_package_that_does_not_end_is_refused_when_it_is_longer_than_signed_for(
    site: Site, server: FileServer, device: Device
) -> None:
    server.misbehaviour[".tar"] = Misbehaviour.ENDLESS

    assert device.why_not(site.target) == (REFUSED, Reason.TOO_LARGE)


@pytest.mark.parametrize("name", ["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"])
def test_a_list_that_does_not_end_is_refused(name: str, site: Site, server: FileServer, device: Device) -> None:
    server.misbehaviour[name] = Misbehaviour.ENDLESS

    assert device.why_not(site.target) == (REFUSED, Reason.TOO_LARGE)


@pytest.mark.parametrize("name", ["timestamp.json", ".tar"])
def test_what_drips_is_given_up(name: str, site: Site, server: FileServer, device: Device) -> None:
    device.patience = IMPATIENT
    server.misbehaviour[name] = Misbehaviour.DRIP

    assert device.why_not(site.target) == (WAITING, Reason.TOO_SLOW)


def test_a_server_that_falls_silent_is_given_up(site: Site, server: FileServer, device: Device) -> None:
    device.patience = Patience(silence_seconds=0.02)
    server.misbehaviour["timestamp.json"] = Misbehaviour.DRIP

    assert device.why_not(site.target) == (WAITING, Reason.TOO_SLOW)


def test_a_package_of_the_wrong_length_is_refused(site: Site, server: FileServer, device: Device) -> None:
    server.misbehaviour[".tar"] = Misbehaviour.SHORT

    assert device.why_not(site.target) == (REFUSED, Reason.ALTERED)


def test_what_a_revoked_key_has_signed_is_refused(site: Site, server: FileServer, device: Device) -> None:
    stolen = (site.served / repository.KEYS / "targets.pem").read_bytes()
    site.repository.rotate("targets", site.root_keys, now=site.now)
    (site.served / repository.KEYS / "targets.pem").write_bytes(stolen)
    target = site.publish("1.2.0")

    assert device.why_not(target) == (REFUSED, Reason.SIGNATURE)


def test_an_older_root_does_not_bring_a_revoked_key_back(site: Site, server: FileServer, device: Device) -> None:
    """The thief has the old keys of all three lists, and hides the root that revokes them."""
    for role in keys.ONLINE:
        site.repository.rotate(role, site.root_keys, now=site.now)
    device.take("standard/wordcam-1-9.9.9.tar")  # not signed for; but the new root has been seen
    thief = Site(site.folder / "thief")
    root_1 = site.metadata()["1.root.json"]
    forged = thief.metadata()
    del forged["1.root.json"]

    site.put({"1.root.json": root_1}, forged)

    assert device.why_not(site.target) == (REFUSED, Reason.SIGNATURE)


def test_a_root_that_the_old_root_has_not_signed_is_refused(site: Site, device: Device) -> None:
    thief = Site(site.folder / "thief")
    thief.repository.rotate("root", thief.root_keys, now=thief.now)

    site.put(site.metadata(), {"2.root.json": thief.metadata()["2.root.json"]})

    assert device.why_not(site.target) == (REFUSED, Reason.SIGNATURE)


def test_a_package_that_nobody_has_signed_is_refused(site: Site, server: FileServer, device: Device) -> None:
    """Whoever has the MQTT server can offer what they like."""
    assert device.why_not("standard/wordcam-1-6.6.6.tar") == (REFUSED, Reason.NOT_SIGNED_FOR)
    assert not [path for path, _ in server.requests if path.endswith(".tar")]


def test_an_older_model_with_a_known_weakness_is_refused(site: Site, device: Device) -> None:
    device.running = "wordcam-1@1.2.0"

    assert device.why_not(site.target) == (REFUSED, Reason.OLDER_MODEL)


def test_a_redirection_is_not_followed(site: Site, server: FileServer, device: Device) -> None:
    server.misbehaviour["timestamp.json"] = Misbehaviour.REDIRECTED
    server.elsewhere = server.url

    assert device.why_not(site.target) == (WAITING, Reason.UNREACHABLE)


def test_a_package_with_other_contents_than_a_bundle_is_refused(site: Site, device: Device) -> None:
    """Signed, by somebody who has the server's keys; the device still takes nothing but bundles."""
    for name, member in _hostile_members():
        assert device.why_not(_sign(site, name, member)) == (REFUSED, Reason.NOT_A_BUNDLE), name
        assert not (device.folder.parent / "escaped").exists()


def test_a_bundle_that_calls_itself_another_model_is_refused(site: Site, device: Device) -> None:
    content = Path(site.folder / "as-1.1.0.tar")
    package.pack(site.folder / "bundle-standard-1.1.0", content)

    assert device.why_not(_sign(site, "standard/wordcam-1-1.3.0.tar", content.read_bytes())) == (
        REFUSED,
        Reason.NOT_A_BUNDLE,
    )


def _sign(site: Site, target: str, content: bytes) -> str:
    """Put anything into the repository, signed by its own keys."""
    from tuf.api.metadata import TargetFile, Targets  # noqa: PLC0415 - only here

    file = TargetFile.from_data(target, content, ["sha256"])
    model = target.rpartition("/")[2].removesuffix(".tar").rpartition("-")
    file.unrecognized_fields["custom"] = {"model": f"{model[0]}@{model[2]}", "device_class": "standard"}
    path = site.served / repository.TARGETS / file.get_prefixed_paths()[0]
    path.write_bytes(content)
    listed = site.repository._read("targets", Targets)
    listed.targets[target] = file
    site.repository._publish(listed, now=site.now)
    return target


def _hostile_members() -> list[tuple[str, bytes]]:
    def tar(*members: tuple[str, bytes, bytes]) -> bytes:
        written = io.BytesIO()
        with tarfile.open(fileobj=written, mode="w") as made:
            for name, kind, content in members:
                about = tarfile.TarInfo(name)
                about.type, about.size = kind, len(content)
                if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                    about.linkname, about.size = "/etc/passwd", 0
                made.addfile(about, io.BytesIO(content))
        return written.getvalue()

    manifest = json.dumps(
        {
            "format": 1,
            "name": "wordcam-1",
            "version": "1.1.0",
            "files": {"encoder": {"name": "encoder.bin", "sha256": "0" * 64, "bytes": 3}},
        }
    ).encode()
    plain = ("manifest.json", tarfile.REGTYPE, manifest)
    contents = [
        b"\x7fELF a program",
        tar(("../../../escaped", tarfile.REGTYPE, b"x")),
        tar(plain, ("../../../escaped", tarfile.REGTYPE, b"x")),
        tar(plain, ("/tmp/escaped", tarfile.REGTYPE, b"x")),
        tar(plain, ("encoder.bin", tarfile.SYMTYPE, b"")),
        tar(plain, ("encoder.bin", tarfile.LNKTYPE, b"")),
        tar(("manifest.json", tarfile.SYMTYPE, b"")),
        tar(plain, ("encoder.bin", tarfile.CHRTYPE, b"")),
        tar(plain, ("encoder.bin", tarfile.REGTYPE, b"123")),
        tar(plain, ("encoder.bin", tarfile.REGTYPE, b"1234")),
        tar(plain, *[(f"{number}.bin", tarfile.REGTYPE, b"x") for number in range(40)]),
        tar(plain),
        tar(("manifest.json", tarfile.REGTYPE, b"[" * 100_000)),
        tar(),
    ]
    return [(f"standard/wordcam-1-1.1.{number + 1}.tar", content) for number, content in enumerate(contents)]


@pytest.mark.parametrize("content", [content for _, content in _hostile_members()])
def test_unpacking_writes_nothing_beside_its_folder(content: bytes, tmp_path: Path, device: Device) -> None:
    file, to = tmp_path / "a.tar", tmp_path / "deep" / "er" / "folder"
    file.write_bytes(content)
    to.mkdir(parents=True)

    with pytest.raises(Refused):
        package.unpack(file, to)

    assert not (tmp_path / "escaped").exists()
    assert {path.name for path in to.iterdir()} <= {"manifest.json", "encoder.bin"}

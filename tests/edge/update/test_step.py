"""One try to take a package, where all is well and where it breaks off."""

from pathlib import Path

import pytest

from broker.ingest.rollout import keys
from contract.update import Progress, Reason
from edge.errors import TryAgain
from testing.file_server import FileServer, Misbehaviour
from tests.edge.update.publisher import RUNNING, Device, Site


def test_a_signed_package_is_put_in_place(site: Site, device: Device) -> None:
    done = device.take(site.target)

    assert [one.progress for one in device.said] == [Progress.DOWNLOADING, Progress.TESTING]
    assert done.target == site.target
    assert device.in_place == "wordcam-1@1.1.0"


def test_the_bundle_before_it_stays_to_return_to(site: Site, device: Device) -> None:
    device.take(site.target)

    device.installed.switch_back()

    assert device.in_place == RUNNING


def test_a_download_that_broke_off_goes_on_where_it_ended(site: Site, server: FileServer, device: Device) -> None:
    server.misbehaviour[".tar"] = Misbehaviour.CUT
    assert device.why_not(site.target) == (Progress.WAITING, Reason.UNREACHABLE)
    server.misbehaviour.clear()
    server.requests.clear()

    assert device.take(site.target).progress is Progress.TESTING

    (asked,) = [asked for path, asked in server.requests if path.endswith(".tar")]
    assert int(asked.removeprefix("bytes=").removesuffix("-")) > 0
    assert device.in_place == "wordcam-1@1.1.0"


def test_what_was_altered_is_fetched_again_from_its_beginning(site: Site, server: FileServer, device: Device) -> None:
    server.misbehaviour[".tar"] = Misbehaviour.FLIPPED
    device.take(site.target)
    server.misbehaviour.clear()

    assert device.take(site.target).progress is Progress.TESTING


@pytest.mark.parametrize("role", ["root", *keys.ONLINE])
def test_a_device_follows_the_replacement_of_any_key(role: str, site: Site, device: Device) -> None:
    site.repository.rotate(role, site.root_keys, now=site.now)
    target = site.publish("1.2.0")

    assert device.take(target).progress is Progress.TESTING


def test_a_device_that_was_away_for_many_roots_follows_them_one_by_one(site: Site, device: Device) -> None:
    for _ in range(5):
        site.repository.rotate("root", site.root_keys, now=site.now)
    site.repository.renew_root(site.root_keys, now=site.now)
    target = site.publish("1.2.0")

    assert device.take(target).progress is Progress.TESTING


def test_new_keys_mend_what_a_thief_has_numbered_far_ahead(site: Site, device: Device) -> None:
    """A thief of the timestamp's key signs version 2^30, so that nothing honest is ever newer (fast-forward)."""
    from tuf.api.metadata import Timestamp  # noqa: PLC0415 - only here

    honest = site.metadata()
    timestamp = site.repository._read("timestamp", Timestamp)
    timestamp.version = 2**30
    site.repository._sign("timestamp", timestamp, "timestamp")
    device.take("standard/wordcam-1-9.9.9.tar")
    site.put(honest)
    assert device.why_not(site.target) == (Progress.REFUSED, Reason.OLD_METADATA)

    site.repository.rotate("timestamp", site.root_keys, now=site.now)

    assert device.take(site.target).progress is Progress.TESTING


def test_the_model_in_use_needs_no_update(site: Site, server: FileServer, device: Device) -> None:
    device.running = "wordcam-1@1.1.0"

    assert device.take(site.target).progress is Progress.RUNNING
    assert server.requests == []


def test_two_updates_at_once_are_one(site: Site, device: Device) -> None:
    import fcntl  # noqa: PLC0415 - only here

    with (device.installed.folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TryAgain, match="another process is updating"):
            device.take(site.target)


def test_only_the_last_two_bundles_are_kept(site: Site, device: Device) -> None:
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        target = site.target if version == "1.1.0" else site.publish(version)
        device.take(target)
        device.running = f"wordcam-1@{version}"

    kept = {path.name for path in (device.installed.folder / "bundles").iterdir()}
    assert kept == {"wordcam-1-1.2.0", "wordcam-1-1.3.0"}
    assert not list((device.installed.folder / "download").iterdir())


def test_a_link_that_leads_nowhere_is_mended(device: Device, tmp_path: Path) -> None:
    device.installed.current.unlink()
    device.installed.current.symlink_to(tmp_path / "gone")

    device.installed.ensure()

    assert device.in_place == RUNNING

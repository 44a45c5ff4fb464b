"""What an owner puts on the boot partition is taken once, and a mistake there changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import msgspec
import pytest

from contract.enrolment import Invitation
from edge import boot_partition, cli, take_settings
from edge.boot_partition import Settings, WifiNetwork
from edge.take_settings import Places

DAY = 86_400


class Machine:
    """A device in memory."""

    def __init__(self) -> None:
        self.restarted: list[str] = []
        self.clock: float | None = None
        self.error = ""
        self.times_writable = 0
        self.free = 1 << 30

    @contextmanager
    def writable(self) -> Iterator[None]:
        self.times_writable += 1
        yield

    def last_error(self) -> str:
        return self.error

    def free_bytes(self, _: Path) -> int:
        return self.free

    def restart(self, *units: str) -> None:
        self.restarted += units

    def advance_clock(self, to: float) -> None:
        self.clock = to


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(
        boot=tmp_path / "boot",
        config=tmp_path / "config",
        network=tmp_path / "network",
        enrolled=tmp_path / "done",
        drop_ins=tmp_path / "units",
    )
    for folder in (made.boot / "wordcam", made.config, made.network):
        folder.mkdir(parents=True)
    return made


def put(places: Places, name: PurePosixPath, content: bytes | str) -> Path:
    path = places.boot / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def invite(places: Places) -> Path:
    made = Invitation(
        site="north-gate",
        device="pi-01",
        url="https://wordcam.example:8443",
        token="t" * 43,
        authority="-----BEGIN CERTIFICATE-----",
        mqtt_host="wordcam.example",
        until=datetime.now(UTC) + timedelta(days=7),
    )
    return put(places, boot_partition.INVITATION, msgspec.json.encode(made))


def configure(places: Places, camera: str = "/dev/video0") -> bytes:
    path = places.config / "edge.yaml"
    words = ["init", "--force", "--config", str(path), "--camera", camera, "--site", "north-gate", "--device", "pi-01"]
    assert cli.main(words) == 0
    return path.read_bytes()


def take(places: Places, machine: Machine, now: float | None = None) -> list[str]:
    return take_settings.take(places, machine, datetime.now(UTC).timestamp() if now is None else now)


def status(places: Places) -> str:
    return (places.boot / boot_partition.STATUS).read_text(encoding="utf-8")


def test_wifi_and_camera_are_taken_and_erased(places: Places, machine: Machine) -> None:
    wifi = WifiNetwork(name="우리집 2.4G", password='a "quoted" pass')
    path = put(places, boot_partition.SETTINGS, boot_partition.render(Settings(wifi=wifi, camera="/dev/video2")))

    assert take(places, machine) == []

    kept = places.network / "wpa_supplicant.conf"
    assert f"ssid={'우리집 2.4G'.encode().hex()}" in kept.read_text()
    assert 'psk="a "quoted" pass"' in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert (places.config / "enroll.env").read_text() == "CAMERA_OPTION=--camera=/dev/video2\n"
    assert not path.exists()
    assert machine.restarted == ["wordcam-wifi.service"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wifi:\n  nmae: home\n", "settings.yaml:2: wifi.nmae"),
        ("wifi:\n  name: home\n  password: short\n", "settings.yaml:3: wifi.password"),
        ("camera: $(reboot)\n", "settings.yaml:1: camera"),
        ("\x00\x01\x02", "settings.yaml"),
        ("wifi: [", "not YAML"),
    ],
)
def test_broken_settings_stay_change_nothing_and_are_named(
    places: Places, machine: Machine, text: str, said: str
) -> None:
    path = put(places, boot_partition.SETTINGS, text)

    problems = take(places, machine)

    assert said in problems[0]
    assert said in status(places)
    assert path.exists()
    assert list(places.network.iterdir()) == []
    assert machine.restarted == []


def test_what_the_data_partition_does_not_take_stays_on_the_card_which_says_why(
    places: Places, machine: Machine
) -> None:
    places.network.rmdir()
    file = put(places, boot_partition.SETTINGS, "wifi: {name: home, password: longenough, country: KR}\n")

    take_settings.take(places, machine, 0)

    assert file.exists()
    assert "No such file or directory" in status(places)


def test_a_whole_configuration_replaces_that_in_use_which_is_kept(places: Places, machine: Machine) -> None:
    before = configure(places)
    after = before.replace(b"looks_per_second: 5", b"looks_per_second: 2")
    path = put(places, boot_partition.CONFIG, after)

    assert take(places, machine) == []

    assert places.edge_yaml.read_bytes() == after
    assert (places.config / "edge.yaml.before").read_bytes() == before
    assert not path.exists()
    assert machine.restarted == list(take_settings.UNITS)


def test_a_broken_configuration_leaves_that_in_use_and_says_which_line(places: Places, machine: Machine) -> None:
    before = configure(places)
    put(places, boot_partition.CONFIG, before.replace(b"looks_per_second", b"looks_per_secnod"))

    assert "looks_per_secnod" in take(places, machine)[0]

    assert places.edge_yaml.read_bytes() == before
    assert "looks_per_secnod" in status(places)
    assert "north-gate/pi-01" in status(places)
    assert machine.restarted == []


def test_an_invitation_stays_until_this_device_is_enrolled(places: Places, machine: Machine) -> None:
    invitation = invite(places)
    machine.error = "wordcam-edge enroll: https://wordcam.example:8443: another device has used this invitation"

    take(places, machine)
    assert invitation.exists()
    assert "another device has used this invitation" in status(places)

    configure(places)
    places.enrolled.touch()
    take(places, machine)
    assert not invitation.exists()
    assert "The device has its certificate" in status(places)
    assert machine.restarted == list(take_settings.UNITS)


def test_what_is_erased_is_overwritten_first(places: Places, machine: Machine) -> None:
    path = put(places, boot_partition.SETTINGS, boot_partition.render(Settings(wifi=WifiNetwork(name="home"))))
    other_name = places.boot / "copy"
    other_name.hardlink_to(path)

    take(places, machine)

    assert set(other_name.read_bytes()) == {0}


def test_what_was_overwritten_when_the_power_failed_is_removed_at_the_next_start(
    places: Places, machine: Machine
) -> None:
    names = (boot_partition.SETTINGS, boot_partition.CONFIG, boot_partition.INVITATION)
    erased = [put(places, name, bytes(200)) for name in names]

    assert take(places, machine) == []

    assert not [path for path in erased if path.exists()]
    assert machine.restarted == []


def test_where_nothing_is_new_the_boot_partition_is_not_written(places: Places, machine: Machine) -> None:
    configure(places)

    take(places, machine)
    take(places, machine)

    assert machine.times_writable == 1


def test_a_full_card_is_said_until_it_is_not(places: Places, machine: Machine) -> None:
    machine.free = 4096
    take(places, machine)
    assert "The card is full" in status(places)

    machine.free = 1 << 24
    take(places, machine)

    assert "full" not in status(places)


def test_a_clock_of_the_same_day_stays(places: Places, machine: Machine) -> None:
    take(places, machine, now=invite(places).stat().st_mtime - 3600)

    assert machine.clock is None


def test_a_clock_that_stands_in_the_past_goes_to_the_time_of_the_card(places: Places, machine: Machine) -> None:
    written = invite(places).stat().st_mtime

    take(places, machine, now=written - 300 * DAY)

    assert machine.clock is not None
    assert machine.clock >= written


def test_a_network_camera_is_all_that_the_process_that_pulls_may_reach(places: Places, machine: Machine) -> None:
    configure(places, "rtsp://192.0.2.1/stream")
    take(places, machine)
    drop_in = places.drop_ins / "wordcam-pull.service.d" / "camera.conf"
    assert "IPAddressAllow=192.0.2.1\n" in drop_in.read_text()
    assert machine.restarted == ["wordcam-pull.service", "wordcam-look.service"]

    configure(places, "/dev/video0")
    take(places, machine)
    assert not drop_in.exists()


def test_an_empty_card_says_how_to_invite_it(places: Places, machine: Machine) -> None:
    take(places, machine)

    assert "wordcam-edge flash" in status(places)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (WifiNetwork(name="open"), "key_mgmt=NONE"),
        (WifiNetwork(name="key", password="0" * 64), f"psk={'0' * 64}\n"),
        (WifiNetwork(name="home", password="long enough", country="US"), "country=US"),
    ],
)
def test_every_kind_of_network_has_its_configuration(network: WifiNetwork, said: str) -> None:
    assert said in take_settings.wpa_supplicant(network)

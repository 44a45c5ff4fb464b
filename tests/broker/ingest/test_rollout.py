"""Rollouts: who is offered a model, what halts it, and the verbs of `wordcam-broker models`."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from broker.cli import main
from broker.config import broker as config_file
from broker.incidents.presence import devices
from broker.ingest.offer_publisher import PERIOD_SECONDS, OfferPublisher
from broker.ingest.rollout import repository, stages
from broker.ingest.rollout.renewal import Renewal
from broker.ingest.rollout.repository import Repository
from broker.ingest.rollout.stages import Rollout, State
from broker.store import migrate
from broker.store.engine import open_database, reading, writing
from contract import package, update
from contract.status import State as OnlineState
from contract.update import Progress, Reason, Update
from foundation.errors import MISCONFIGURED
from tests.broker.device import status
from tests.broker.running_service import write_config
from tests.edge.update.publisher import make_bundle

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
TARGET = "standard/wordcam-1-1.1.0.tar"


@dataclass
class FakeServer:
    """An MQTT server that keeps what is retained."""

    owes: bool = False
    kept: dict[str, str | None] = field(default_factory=dict)
    count: int = 0

    def retain(self, topic: str, payload: bytes) -> None:
        self.count += 1
        self.kept[topic.split("/")[3]] = update.decode(payload).target


@dataclass
class Fleet:
    """A server and its devices."""

    config: Path
    engine: Engine
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.publisher = OfferPublisher(
            self.engine, Renewal(self.config.parent / "models").step, now=lambda: NOW, clock=lambda: self.seconds
        )

    def say(self, device: str, report: Update | None = None, site: str = "north-gate") -> None:
        """Let a device send its status."""
        self.seconds += 1
        at = NOW + timedelta(seconds=self.seconds)
        said = status(site=site, device=device, at=at, update=report or Update())
        with writing(self.engine) as connection:
            devices.record(connection, said, heard_at=at)

    def start(self, percent: float = 100, sites: tuple[str, ...] = (), target: str = TARGET) -> None:
        with writing(self.engine) as connection:
            stages.start(connection, target, "standard", sites=sites, percent=percent, by="lee", at=NOW)

    def newest(self) -> Rollout:
        with reading(self.engine) as connection:
            return stages.newest(connection)[0]

    def work(self, server: FakeServer) -> dict[str, str | None]:
        self.seconds += PERIOD_SECONDS
        self.publisher.work(server)
        return server.kept

    def models(self, *words: str) -> int:
        return main.main(["models", *words, "--config", str(self.config)])


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    config = write_config(tmp_path, models={"folder": "models"})
    engine = open_database(config_file.load(config).database)
    migrate.migrate(engine)
    return Fleet(config, engine)


def test_a_larger_share_includes_the_smaller_one() -> None:
    names = [f"pi-{number}" for number in range(400)]
    first = {name for name in names if stages.share(TARGET, "a", name) < 10}
    more = {name for name in names if stages.share(TARGET, "a", name) < 40}

    assert first < more
    assert 20 < len(first) < 65


def test_another_package_begins_with_other_devices() -> None:
    names = [f"pi-{number}" for number in range(200)]

    assert {n for n in names if stages.share(TARGET, "a", n) < 10} != {
        n for n in names if stages.share("standard/wordcam-1-1.2.0.tar", "a", n) < 10
    }


def test_devices_of_the_class_and_site_are_offered_it_and_the_others_nothing(fleet: Fleet) -> None:
    fleet.say("pi-01")
    fleet.say("pi-02", Update(device_class="large"))
    fleet.say("pi-03", site="harbour")
    fleet.start(sites=("north-gate",))

    assert fleet.work(FakeServer()) == {"pi-01": TARGET, "pi-02": None, "pi-03": None}


def test_a_device_that_takes_no_updates_is_sent_nothing(fleet: Fleet) -> None:
    with writing(fleet.engine) as connection:
        devices.record(connection, status(device="pi-09"), heard_at=NOW)
    fleet.start()

    assert fleet.work(FakeServer()) == {}


def test_what_has_not_changed_is_said_once_and_all_of_it_on_a_new_connection(fleet: Fleet) -> None:
    fleet.say("pi-01")
    fleet.start()
    server = FakeServer()
    for _ in range(3):
        fleet.work(server)
    assert server.count == 1

    assert fleet.work(FakeServer()) == {"pi-01": TARGET}


@pytest.mark.parametrize("reason", sorted(update.HALTING))
def test_one_device_with_a_bad_package_halts_the_rollout(reason: Reason, fleet: Fleet) -> None:
    for device in ("pi-01", "pi-02"):
        fleet.say(device)
    fleet.start()
    server = FakeServer()
    fleet.work(server)

    fleet.say("pi-01", Update(progress=Progress.ROLLED_BACK, target=TARGET, reason=reason, detail="signal 11"))

    assert fleet.work(server) == {"pi-01": None, "pi-02": None}
    assert fleet.newest().state is State.HALTED
    assert fleet.newest().because == f"north-gate/pi-01 rolled-back, {reason.value}: signal 11"


@pytest.mark.parametrize("reason", sorted(set(Reason) - update.HALTING))
def test_trouble_on_the_way_to_one_device_halts_nothing(reason: Reason, fleet: Fleet) -> None:
    fleet.say("pi-01")
    fleet.start()
    fleet.say("pi-01", Update(progress=Progress.REFUSED, target=TARGET, reason=reason))

    assert fleet.work(FakeServer()) == {"pi-01": TARGET}


def test_a_package_that_did_badly_does_not_halt_the_next_one(fleet: Fleet) -> None:
    fleet.say("pi-01", Update(progress=Progress.ROLLED_BACK, target=TARGET, reason=Reason.CRASH))
    fleet.start(target="standard/wordcam-1-1.2.0.tar")

    assert fleet.work(FakeServer()) == {"pi-01": "standard/wordcam-1-1.2.0.tar"}


def test_a_last_will_does_not_forget_what_the_device_said_of_its_update(fleet: Fleet) -> None:
    fleet.say("pi-01", Update(progress=Progress.RUNNING, target=TARGET))
    with writing(fleet.engine) as connection:
        later = NOW + timedelta(hours=1)
        devices.record(connection, status(since=NOW, at=None, state=OnlineState.OFFLINE), heard_at=later)
    with reading(fleet.engine) as connection:
        report = devices.everyone(connection)[0].update_report

    assert report is not None
    assert report.progress is Progress.RUNNING


def test_a_model_is_published_offered_further_listed_and_withdrawn(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    for number in range(4):
        fleet.say(f"pi-0{number}")
    assert fleet.models("init", "--root-keys", str(tmp_path / "safe")) == 0

    assert fleet.models("publish", str(bundle), "--percent", "50") == 0
    assert "50 % of the devices are offered it" in capsys.readouterr().out
    assert fleet.models("offer", "wordcam-1@1.1.0", "--percent", "100") == 0
    fleet.say("pi-00", Update(progress=Progress.RUNNING, target=TARGET))
    assert fleet.models("list") == 0
    said = capsys.readouterr().out
    assert "active  100 % of all sites  offered to 4, running on 1, failed on 0" in said
    assert "signature of timestamp until" in said

    assert fleet.models("withdraw", "wordcam-1@1.1.0", "--because", "too many fires") == 0
    assert (fleet.newest().state, fleet.newest().because) == (State.WITHDRAWN, "too many fires")
    assert fleet.models("offer", "wordcam-1@1.1.0") == MISCONFIGURED


def test_every_verb_can_be_tried_dry(fleet: Fleet, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    safe = str(tmp_path / "safe")
    assert fleet.models("init", "--root-keys", safe, "--dry-run") == 0
    assert not (tmp_path / "models").exists()
    assert fleet.models("init", "--root-keys", safe) == 0
    assert fleet.models("publish", str(bundle)) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}

    for words in (
        ("publish", str(bundle)),
        ("offer", "wordcam-1@1.1.0"),
        ("refresh",),
        ("refresh", "--root-keys", safe),
        ("rotate", "root", "--root-keys", safe),
        ("rotate", "targets", "--root-keys", safe),
        ("withdraw", "wordcam-1@1.1.0"),
    ):
        assert fleet.models(*words, "--dry-run") == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == before
    assert fleet.newest().state is State.ACTIVE


def test_a_version_that_is_published_is_never_another_bundle(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    fleet.models("init", "--root-keys", str(tmp_path / "safe"))
    assert fleet.models("publish", str(bundle)) == 0
    other = make_bundle(tmp_path / "other", language="ko")

    assert fleet.models("publish", str(other)) == MISCONFIGURED
    assert "give the new one a higher version" in capsys.readouterr().err
    assert fleet.models("publish", str(bundle), "--percent", "100") == 0, "the same bundle may be published again"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("publish", "nowhere"), "manifest.json"),
        (("list",), "no repository of models is there"),
        (("refresh",), "no repository of models is there"),
        (("rotate", "root", "--root-keys", "nowhere"), "no repository of models is there"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_written(
    words: tuple[str, ...], said: str, fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet.models(*words) == MISCONFIGURED

    assert said in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


def test_the_root_keys_do_not_lie_in_the_repository(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fleet.models("init", "--root-keys", str(tmp_path / "models" / "keys")) == MISCONFIGURED

    assert "name a folder on another medium" in capsys.readouterr().err


def test_without_the_root_key_no_key_is_replaced(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.models("init", "--root-keys", str(tmp_path / "safe"))
    (tmp_path / "safe" / "root-1.pem").unlink()

    assert fleet.models("rotate", "targets", "--root-keys", str(tmp_path / "safe")) == MISCONFIGURED
    assert "holds no key" in capsys.readouterr().err


def test_the_same_bundle_makes_the_same_package(tmp_path: Path) -> None:
    one, other = make_bundle(tmp_path / "one"), make_bundle(tmp_path / "other")

    package.pack(one, tmp_path / "one.tar")
    package.pack(other, tmp_path / "other.tar")

    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "other.tar").read_bytes()


def test_signatures_are_renewed_before_they_expire_and_not_all_the_time(fleet: Fleet, tmp_path: Path) -> None:
    made = repository.create(tmp_path / "models", tmp_path / "safe", now=NOW - timedelta(days=20))
    fleet.work(FakeServer())
    renewed = (made.folder / "metadata" / "timestamp.json").read_bytes()
    fleet.work(FakeServer())

    assert Repository(made.folder).expiries()["timestamp"] == NOW + repository.EXPIRY["timestamp"]
    assert (made.folder / "metadata" / "timestamp.json").read_bytes() == renewed


def test_a_service_without_the_keys_says_so_and_goes_on(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = repository.create(tmp_path / "models", tmp_path / "safe", now=NOW - timedelta(days=20))
    (made.folder / "keys" / "timestamp.pem").unlink()
    fleet.say("pi-01")
    fleet.start()

    assert fleet.work(FakeServer()) == {"pi-01": TARGET}
    assert "signatures not renewed" in caplog.text

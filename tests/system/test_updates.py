"""A model from `wordcam-broker models publish` to a running device and back: real processes, as users start them."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
import yaml
from sqlalchemy import Engine

from broker.cli import main
from broker.config import broker as config_file
from broker.incidents.presence import devices
from broker.ingest.rollout import stages
from broker.ingest.rollout.stages import Rollout
from broker.store.engine import open_database, reading
from contract import bundle
from contract.update import Progress, Reason, Update
from edge.outbox import process_report
from edge.outbox.outbox import Outbox
from edge.update.outcome import MOST_ENDS
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.broker.running_service import Running, write_config
from tests.broker.web.serving import serving
from tests.system.device import BLUE, GREEN, Device, paint


@dataclass
class Fleet:
    """A server with a repository of models, and one device that runs version 1.0.0."""

    config: Path
    folder: Path
    tiny: Path
    engine: Engine
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """The device's `run`."""

    def broker(self, *words: str) -> int:
        return main.main([*words, "--config", str(self.config)])

    def publish(self, version: str, *, broken: bool = False) -> int:
        """Publish the tiny bundle under a version; a broken one has an encoder that does not load."""
        folder = copy(self.tiny, self.folder / f"tiny-{version}", version, broken=broken)
        return self.broker("models", "publish", str(folder), "--percent", "100")

    def device(self) -> tuple[str, Update | None]:
        """Return the model that the device says it uses, and where it is with its update."""
        with reading(self.engine) as connection:
            found = devices.everyone(connection)
        return (found[0].model, found[0].update_report) if found else ("", None)

    def progress(self) -> tuple[Progress | None, Reason | None]:
        report = self.device()[1]
        return (report.progress, report.reason) if report is not None else (None, None)

    def looking(self) -> list[int]:
        """Return the numbers of the device's processes that see."""
        (run,) = self.running
        found = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text(encoding="utf-8").split()
        return [int(child) for child in found if b"\0look\0" in Path(f"/proc/{child}/cmdline").read_bytes()]

    def started(self) -> datetime | None:
        """Return when the process that sees has begun to watch."""
        with Outbox(self.folder / "device" / "outbox.sqlite", 1000) as box:
            return process_report.read(box, process_report.LOOK).started

    def newest(self) -> Rollout:
        with reading(self.engine) as connection:
            return stages.newest(connection)[0]


def copy(tiny: Path, to: Path, version: str, *, broken: bool = False) -> Path:
    """Copy the tiny bundle as another version of it."""
    shutil.copytree(tiny, to)
    manifest = bundle.load(to)
    files = dict(manifest.files)
    if broken:
        path = to / files["encoder"].name
        path.write_bytes(path.read_bytes()[:200])
        files["encoder"] = bundle.describe(path, files["encoder"].quantization)
    bundle.write(to, msgspec.structs.replace(manifest, version=version, files=files))
    return to


@pytest.fixture
def fleet(tmp_path: Path, tiny: Path, mosquitto: Mosquitto) -> Iterator[Fleet]:
    folder = tmp_path / "service"
    folder.mkdir()
    web = {"port": 0}
    config = write_config(
        folder, server=mosquitto, models={"folder": "models"}, web=web, recipients=[], database={"wait_seconds": 30}
    )
    made = Fleet(config, tmp_path, tiny, open_database(config_file.load(config).database))
    assert made.broker("migrate") == 0
    assert made.broker("models", "init", "--root-keys", str(tmp_path / "safe")) == 0
    pictures = paint(tmp_path / "pictures", [BLUE, GREEN] * 3)
    device = Device(tmp_path / "device", copy(tiny, tmp_path / "tiny-1.0.0", "1.0.0"), pictures, mosquitto, login={})
    device.configure()
    with serving(config_file.load(config)) as address, Running(config):
        tree = yaml.safe_load(device.config.read_text(encoding="utf-8"))
        tree["camera"] |= {"pace": "real", "loop": True, "looks_per_second": 1}
        root = folder / "models" / "metadata" / "1.root.json"
        tree["updates"] = {"url": f"{address}/models", "root_file": str(root)}
        device.config.write_text(yaml.safe_dump(tree), encoding="utf-8")
        with device.running("run") as process:
            made.running.append(process)
            wait_until(lambda: made.device()[0].endswith("@1.0.0"), f"the device to be known:\n{device.log}")
            yield made
    made.engine.dispose()


@pytest.mark.slow
def test_a_device_takes_a_model_goes_on_without_one_that_is_broken_and_halts_its_rollout(fleet: Fleet) -> None:
    assert fleet.publish("1.1.0") == 0
    wait_until(lambda: fleet.device()[0].endswith("@1.1.0"), f"1.1.0 to be in use: {fleet.device()}")
    assert fleet.progress() == (Progress.TESTING, None)

    assert fleet.publish("1.2.0", broken=True) == 0
    wait_until(
        lambda: fleet.progress() == (Progress.REFUSED, Reason.SELF_TEST), f"1.2.0 to be refused: {fleet.device()}"
    )
    wait_until(lambda: fleet.newest().state is stages.State.HALTED, "the rollout to halt")
    assert fleet.device()[0].endswith("@1.1.0")
    assert fleet.newest().because.startswith("north-gate/pi-01 refused, self-test")

    assert fleet.publish("1.3.0") == 0
    wait_until(lambda: fleet.device()[0].endswith("@1.3.0"), f"1.3.0 to be in use: {fleet.device()}")


@pytest.mark.slow
def test_a_model_with_which_the_process_that_sees_crashes_again_and_again_is_taken_back(fleet: Fleet) -> None:
    assert fleet.publish("1.1.0") == 0
    wait_until(lambda: fleet.device()[0].endswith("@1.1.0"), f"1.1.0 to be in use: {fleet.device()}")

    for _ in range(MOST_ENDS):
        crash(fleet)

    taken_back = (Progress.ROLLED_BACK, Reason.CRASH)
    wait_until(lambda: fleet.progress() == taken_back, f"it to be taken back: {fleet.device()}")
    wait_until(lambda: fleet.device()[0].endswith("@1.0.0"), f"1.0.0 to be in use: {fleet.device()}")
    wait_until(lambda: fleet.newest().state is stages.State.HALTED, "the rollout to halt")


def crash(fleet: Fleet) -> None:
    """End the process that sees as a fault in a model would, and wait until the next one watches."""
    (looking,) = fleet.looking()
    before = fleet.started()
    os.kill(looking, signal.SIGSEGV)
    wait_until(lambda: fleet.started() != before, "the process that sees to start again")

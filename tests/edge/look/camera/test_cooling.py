"""Fewer looks while the device is hot or busy."""

from pathlib import Path

import msgspec
import pytest

from edge import config
from edge.look.camera.cooling import READ_SECONDS, Burden, Governor, burden, strain
from edge.look.camera.pace import Pace

COOLING = config.Cooling(slow_celsius=70, slowest_celsius=80, slow_load_per_core=2, slowest_load_per_core=4)


def sensors(folder: Path, *temperatures: str) -> Path:
    for number, said in enumerate(temperatures):
        (folder / f"thermal_zone{number}").mkdir()
        (folder / f"thermal_zone{number}" / "temp").write_text(said, encoding="ascii")
    return folder


def test_the_hottest_sensor_counts_and_a_broken_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "loadavg").write_text("3.00 1.0 1.0 2/300 4711\n", encoding="ascii")
    thermal = sensors(tmp_path, "48312\n", "61500\n", "-274000\n", "999999\n", "broken\n")

    assert burden(thermal, tmp_path / "loadavg", cores=4) == Burden(61.5, 0.75)


def test_a_machine_that_tells_nothing_is_not_pressed(tmp_path: Path) -> None:
    found = burden(tmp_path, tmp_path / "none", cores=4)

    assert found == Burden(None, None)
    assert strain(COOLING, found) == 0


@pytest.mark.parametrize(
    ("celsius", "load", "share"),
    [(69, 1, 0), (70, 2, 0), (75, 0, 0.5), (0, 3, 0.5), (80, 0, 1), (95, 9, 1), (72, 3.5, 0.75)],
)
def test_between_the_limits_the_rate_falls_evenly(celsius: float, load: float, share: float) -> None:
    assert strain(COOLING, Burden(celsius, load)) == pytest.approx(share)


class Heat:
    """A device that gets as hot as a test says."""

    def __init__(self, celsius: float) -> None:
        self.celsius, self.now, self.reads = celsius, 0.0, 0

    def read(self) -> Burden:
        self.reads += 1
        return Burden(self.celsius, None)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def governor(self, looks_per_second: float) -> Governor:
        return Governor(COOLING, looks_per_second, self.read, lambda: self.now)


def looks_in_a_minute(heat: Heat, looks_per_second: float) -> int:
    pace = Pace(1 / looks_per_second, heat.wait, lambda: heat.now, heat.governor(looks_per_second).stretch)
    count = 0
    while heat.now < 60:
        pace.wait()
        count += 1
    return count


def test_a_hot_device_looks_as_seldom_as_is_allowed_and_never_less() -> None:
    assert looks_in_a_minute(Heat(60), 5) == pytest.approx(300, abs=2)
    assert looks_in_a_minute(Heat(75), 5) == pytest.approx(180, abs=2)
    assert looks_in_a_minute(Heat(99), 5) == pytest.approx(60, abs=2)
    assert looks_in_a_minute(Heat(99), 0.5) == pytest.approx(30, abs=2)


def test_the_sensors_are_read_now_and_then_and_the_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    heat = Heat(60)
    governor = heat.governor(5)
    for celsius in (60, 90, 90, 60, 60):
        heat.celsius = celsius
        for _ in range(10):
            governor.stretch()
        heat.wait(READ_SECONDS)

    assert heat.reads == 5
    assert [record.message for record in caplog.records] == ["looking slowed", "looking at full rate"]


def test_limits_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="must be below"):
        msgspec.convert({"slow_celsius": 90}, config.Cooling)

"""Day and night at one camera: told apart by rendered pictures, and each with a calm of its own."""

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from contract.examples import MANIFEST
from edge.infer import image
from edge.infer.image import Picture
from edge.look.memory import calm_file, light
from edge.look.memory.camera_memory import CameraMemory
from edge.look.memory.danger_memory import QUARANTINE_SECONDS
from edge.look.memory.light import HOLD_SECONDS, Light, LightSwitch
from edge.look.memory.reading import Reading
from tests.edge.look.condition import films

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3600.0


def day(seed: int = 1) -> Picture:
    return image.fit(next(films.film("day", 1, seed=seed)), 240, 240)


def infrared(seed: int = 1, *, tint: tuple[float, float, float] = (1, 1, 1)) -> Picture:
    """The same yard by an infrared lamp: grey, noisy, as a JPEG of a camera, with the tint of one without a filter."""
    grey = cv2.cvtColor(films.yard(seed) * 0.6, cv2.COLOR_BGR2GRAY)[..., None] * np.asarray(tint, np.float32)
    noisy = np.clip(grey + np.random.default_rng(seed).normal(0, 6, grey.shape), 0, 255).astype(np.uint8)
    return image.fit(image.decode_bgr(image.encode_jpeg(noisy), "infrared"), 240, 240)


def dusk(light_left: float) -> Picture:
    return np.asarray(day() * light_left, np.uint8)


@pytest.mark.parametrize("seed", range(8))
def test_a_yard_by_day_is_day_and_by_infrared_light_night(seed: int) -> None:
    for before in Light:
        assert light.judge(light.measure(day(seed)), before) is Light.DAY
        assert light.judge(light.measure(infrared(seed)), before) is Light.NIGHT


def test_the_tint_of_a_camera_without_an_infrared_filter_is_no_colour() -> None:
    assert light.judge(light.measure(infrared(tint=(1.0, 0.75, 1.1))), Light.DAY) is Light.NIGHT


def test_a_yard_with_hardly_any_light_is_night_in_colour_too() -> None:
    assert light.judge(light.measure(dusk(0.15)), Light.DAY) is Light.NIGHT


def test_at_dusk_it_stays_what_it_was() -> None:
    brightness = light.measure(day()).brightness
    between = dusk((light.DARK + light.LIT) / 2 / brightness)

    assert [light.judge(light.measure(between), before) for before in Light] == list(Light)


def test_the_order_of_the_colours_does_not_matter() -> None:
    one, other = light.measure(day()), light.measure(image.rgb(day()))

    assert one.scatter == pytest.approx(other.scatter)
    assert one.brightness == pytest.approx(other.brightness)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_one_colour_has_no_scatter(value: int) -> None:
    assert light.measure(np.full((240, 240, 3), value, np.uint8)).scatter == pytest.approx(0.0, abs=1e-9)


def test_the_first_picture_decides_at_once_and_each_later_change_takes_a_minute() -> None:
    switch, changed = LightSwitch(), []
    for second in range(400):
        picture = infrared() if second < 100 or second >= 300 else day()
        since = switch.look(picture, float(second))
        if since is not None:
            changed.append((second, since, switch.light))

    assert changed == [
        (0, 0, Light.NIGHT),
        (100 + HOLD_SECONDS, 100, Light.DAY),
        (300 + HOLD_SECONDS, 300, Light.NIGHT),
    ]


def test_headlights_that_pass_make_no_day() -> None:
    switch = LightSwitch()
    for second in range(1000):
        switch.look(day() if second % 100 < HOLD_SECONDS - 10 and second >= 100 else infrared(), float(second))

    assert switch.light is Light.NIGHT


def test_a_clock_that_is_set_back_neither_changes_the_light_nor_stops_the_looking() -> None:
    switch = LightSwitch()
    for at in (1e6, 0.0):
        assert switch.is_due(at)
        switch.look(day(), at)
    assert switch.look(infrared(), 1e6) is None
    assert switch.look(infrared(), 10.0) is None

    assert switch.look(infrared(), 10.0 + HOLD_SECONDS) == 10.0


def camera(folder: Path) -> CameraMemory:
    return CameraMemory.open(folder / "outbox.sqlite", MANIFEST, "cam-0", now=NOW, now_seconds=0.0)


def light_of(memory: CameraMemory) -> str:
    return memory.light.value


def watch(memory: CameraMemory, picture: Picture, evidence: float, *, begin: float, hours: float) -> None:
    """Look twice a minute at one picture, with so much evidence of a fire, in log-odds above its threshold."""
    for number in range(round(hours * 120)):
        at = begin + number * 30
        memory.see(picture, at)
        memory.dangers.look({"fire": Reading(evidence), "gun": Reading(-9.0)}, at, NOW)


def test_a_restless_night_raises_no_threshold_of_the_day_and_neither_is_forgotten(tmp_path: Path) -> None:
    memory = camera(tmp_path)

    watch(memory, day(), -6.0, begin=0, hours=12)
    watch(memory, infrared(), -0.6, begin=12 * HOUR, hours=12)
    by_night = memory.dangers.threshold("fire", NOW)
    assert light_of(memory) == "night"
    assert by_night > MANIFEST.evidence["fire"]
    described = memory.describe(NOW)
    assert described is not None
    assert described.night is True

    watch(memory, day(), -6.0, begin=24 * HOUR, hours=12)
    assert light_of(memory) == "day"
    assert memory.dangers.threshold("fire", NOW) == pytest.approx(MANIFEST.evidence["fire"])
    assert memory.calm.night.shift("fire") > 0
    assert memory.calm.day.seconds == pytest.approx(24 * HOUR, rel=0.02)
    assert memory.calm.night.seconds == pytest.approx(12 * HOUR, rel=0.02)

    watch(memory, infrared(), -0.6, begin=36 * HOUR, hours=0.1)
    assert memory.dangers.threshold("fire", NOW) == pytest.approx(by_night, abs=0.01), "as it was left"


def test_what_was_seen_by_day_is_learnt_as_the_day_though_it_counts_later_and_what_was_seen_between_as_neither(
    tmp_path: Path,
) -> None:
    memory = camera(tmp_path)
    watch(memory, day(), -6.0, begin=0, hours=QUARANTINE_SECONDS / HOUR)
    assert memory.calm.day.seconds == 0

    watch(memory, infrared(), -6.0, begin=QUARANTINE_SECONDS, hours=(QUARANTINE_SECONDS + 60) / HOUR)

    assert memory.calm.day.seconds == pytest.approx(QUARANTINE_SECONDS, abs=31)
    assert memory.calm.night.seconds <= 31


def test_day_and_night_are_both_kept_over_a_restart(tmp_path: Path) -> None:
    memory = camera(tmp_path)
    watch(memory, day(), -6.0, begin=0, hours=2)
    watch(memory, infrared(), -2.0, begin=2 * HOUR, hours=2)
    memory.save()

    again = camera(tmp_path)

    assert light_of(again) == "day", "until the first picture"
    assert again.calm.day.histograms.keys() == again.calm.night.histograms.keys()
    assert again.calm.day.seconds == pytest.approx(memory.calm.day.seconds, abs=1)
    assert again.calm.night.seconds == pytest.approx(memory.calm.night.seconds, abs=1)
    again.see(infrared(), 0.0)
    assert light_of(again) == "night"
    assert again.dangers.calm is again.calm.night


def test_while_a_danger_stands_the_light_is_not_changed(tmp_path: Path) -> None:
    """A fire lights a yard that an infrared lamp showed: its threshold stays that of the night."""
    memory = camera(tmp_path)
    watch(memory, infrared(), -6.0, begin=0, hours=1)
    watch(memory, day(), 4.0, begin=HOUR, hours=1)
    assert memory.dangers.ongoing == {"fire"}
    assert light_of(memory) == "night"

    watch(memory, day(), -9.0, begin=2 * HOUR, hours=0.1)

    assert memory.dangers.ongoing == frozenset()
    assert light_of(memory) == "day"


def test_forgetting_forgets_day_and_night(tmp_path: Path) -> None:
    memory = camera(tmp_path)
    watch(memory, infrared(), -2.0, begin=0, hours=2)
    memory.save()
    calm_file.forget(calm_file.path_beside(tmp_path / "outbox.sqlite"), NOW)

    memory.keep(NOW, 15.0)

    assert (memory.calm.night.seconds, memory.dangers.calm.seconds) == (0, 0)
    assert memory.dangers.calm is memory.calm.night

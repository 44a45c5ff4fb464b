"""Camera conditions on rendered films: nothing is wrong with a calm one, and each thing that is gets its name."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

import numpy as np
import pytest

from contract.status import Condition
from edge.infer.image import Picture
from edge.look.condition import watch
from edge.look.condition.measure import measure
from edge.look.condition.watch import ConditionWatch
from tests.edge.look.condition import films
from tests.edge.look.condition.films import Spoil

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WEATHER = pytest.mark.parametrize("weather", ["day", "dusk", "night", "rain"])


def changes(pictures: Iterable[Picture], watched: ConditionWatch) -> Iterator[tuple[int, list[Condition]]]:
    """Yield the second of each change, and what stands after it."""
    for second, picture in enumerate(pictures):
        if watched.look(measure(picture), float(second), BEGIN + timedelta(seconds=second)):
            yield second, [name for name, _ in watched.active]


def tiles() -> Picture:
    """Return a picture without texture, whose edges are crisp."""
    rows, columns = np.mgrid[0 : films.HEIGHT, 0 : films.WIDTH]
    grey = np.where((rows // 45 + columns // 40) % 2, 230, 20).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


@WEATHER
def test_nothing_is_wrong_with_calm_film(weather: str) -> None:
    assert list(changes(films.film(weather, 600), ConditionWatch())) == []


def test_nothing_is_wrong_when_night_becomes_day() -> None:
    assert list(changes(films.dawn(900), ConditionWatch())) == []


def test_nothing_is_wrong_when_a_lamp_turns_night_into_day_at_once() -> None:
    film = chain(films.film("night", 300), films.film("day", 300))

    assert list(changes(film, ConditionWatch())) == []


@WEATHER
@pytest.mark.parametrize(
    ("spoil", "condition"),
    [
        (films.covered, Condition.COVERED),
        (films.glare, Condition.COVERED),
        (films.dark, Condition.DARK),
        (films.undecoded, Condition.CORRUPT),
        (films.all_grey, Condition.CORRUPT),
    ],
    ids=["covered", "glare", "dark", "half undecoded", "all grey"],
)
def test_what_hides_the_view_is_named_in_any_weather_and_forgotten_when_it_ends(
    weather: str, spoil: Spoil, condition: Condition
) -> None:
    calm = list(films.film(weather, 200))
    watched = ConditionWatch()

    found = list(changes([*calm[:60], *map(spoil, calm[60:140]), *calm[140:]], watched))

    patience = int(watch.PATIENCE_SECONDS[condition])
    assert [stands for _, stands in found] == [[condition], []]
    assert found[0][0] == 59 + patience
    assert 140 < found[1][0] <= 140 + watch.RECOVERY_SECONDS


@WEATHER
def test_a_lens_out_of_focus_is_named_whatever_the_noise(weather: str) -> None:
    calm, dice = list(films.film(weather, 200)), np.random.default_rng(4)
    blurred = [films.noisy(films.defocused(picture), films.NOISE[weather], dice) for picture in calm[60:140]]
    watched = ConditionWatch()

    found = list(changes([*calm[:60], *blurred, *calm[140:]], watched))

    assert [stands for _, stands in found] == [[Condition.DEFOCUSED], []]


def test_a_camera_that_starts_out_of_focus_is_named_too() -> None:
    near = tiles()

    found = list(changes((films.defocused(films.defocused(near)) for _ in range(60)), ConditionWatch()))

    assert [stands for _, stands in found] == [[Condition.DEFOCUSED]]


def test_a_drawing_without_texture_is_not_out_of_focus() -> None:
    assert list(changes(repeat(tiles(), 60), ConditionWatch())) == []


def test_the_same_picture_for_five_minutes_is_frozen_and_the_next_one_ends_it() -> None:
    calm = list(films.film("day", 60))
    film = chain(calm, repeat(calm[-1], 400), films.film("day", 60, noise_seed=8))

    found = list(changes(film, ConditionWatch()))

    assert [stands for _, stands in found] == [[Condition.FROZEN], []]
    assert found[0][0] == 359


def test_a_frozen_picture_is_named_although_its_clock_runs() -> None:
    calm = [films.with_clock(picture, second) for second, picture in enumerate(films.film("day", 30))]
    one = next(films.film("day", 1))
    frozen = (films.compressed(films.with_clock(one, second), 80) for second in range(30, 400))

    found = list(changes(chain(calm, frozen), ConditionWatch()))

    assert [stands for _, stands in found] == [[Condition.FROZEN]]
    assert found[0][0] == pytest.approx(330, abs=2)


def test_a_scene_in_which_nothing_moves_is_not_frozen_as_its_noise_is_not() -> None:
    one, dice = next(films.film("day", 1)), np.random.default_rng(5)
    still = (films.with_clock(films.noisy(one, 0.7, dice), second) for second in range(400))

    assert list(changes(map(films.compressed, still), ConditionWatch())) == []


def test_one_picture_of_a_living_scene_proves_that_it_is_not_frozen() -> None:
    calm = list(films.film("day", 5))
    twice_a_minute = (calm[second // 30 % 2] for second in range(700))

    assert list(changes(twice_a_minute, ConditionWatch())) == []


@pytest.mark.parametrize(
    ("spoil", "condition"),
    [
        (films.covered, Condition.COVERED),
        (films.hand, Condition.COVERED),
        (films.dark, Condition.DARK),
        (films.defocused, Condition.DEFOCUSED),
    ],
    ids=["covered", "hand", "dark", "defocused"],
)
def test_the_time_that_a_camera_writes_into_its_picture_hides_no_condition(spoil: Spoil, condition: Condition) -> None:
    calm = list(films.film("day", 120))
    film = [*calm[:30], *map(spoil, calm[30:])]

    found = list(changes((films.with_clock(picture, second) for second, picture in enumerate(film)), ConditionWatch()))

    assert [stands for _, stands in found] == [[condition]]


@pytest.mark.parametrize("spoil", [films.smeared, films.displaced], ids=["smeared", "displaced"])
@pytest.mark.parametrize("weather", ["day", "rain"])
def test_a_picture_of_which_a_part_is_wrong_is_corrupt(weather: str, spoil: Spoil) -> None:
    calm = list(films.film(weather, 60))

    found = list(changes([*calm[:20], *map(spoil, calm[20:])], ConditionWatch()))

    assert [stands for _, stands in found] == [[Condition.CORRUPT]]


def test_strong_compression_is_not_damage() -> None:
    assert list(changes(map(films.compressed, films.film("day", 60)), ConditionWatch())) == []


def test_a_mast_in_the_wind_is_not_out_of_focus() -> None:
    film = [films.shaken(picture, second) for second, picture in enumerate(films.film("day", 120))]

    assert list(changes(film, ConditionWatch())) == []


def test_of_a_corrupt_picture_nothing_is_to_be_said_before_the_condition_begins() -> None:
    watched, calm = ConditionWatch(), list(films.film("day", 2))

    hides = []
    for second, picture in enumerate((calm[0], films.smeared(calm[1]))):
        watched.look(measure(picture), float(second), BEGIN)
        hides.append(watched.hides_view)

    assert hides == [False, True]
    assert watched.active == ()


@pytest.mark.parametrize("weather", ["day", "night", "rain"])
def test_a_camera_that_is_turned_has_moved_until_it_is_turned_back(weather: str) -> None:
    film = chain(films.film(weather, 200), films.film(weather, 300, seed=5), films.film(weather, 100))

    found = list(changes(film, ConditionWatch()))

    assert [stands for _, stands in found] == [[Condition.MOVED], []]


def test_a_new_view_is_the_usual_one_after_an_hour() -> None:
    film = chain(films.film("day", 60), films.film("day", 4000, seed=5))

    found = list(changes(film, ConditionWatch()))

    assert [stands for _, stands in found] == [[Condition.MOVED], []]
    assert found[1][0] > 3600


def test_what_lasts_shorter_than_its_patience_is_not_named() -> None:
    calm = list(films.film("day", 400))
    film = [films.covered(picture) if second % 40 < 10 else picture for second, picture in enumerate(calm)]

    assert list(changes(film, ConditionWatch())) == []


def test_a_condition_says_since_when_it_was_seen() -> None:
    calm = list(films.film("day", 100))
    watched = ConditionWatch()

    list(changes([*calm[:30], *map(films.covered, calm[30:])], watched))

    assert watched.active == ((Condition.COVERED, BEGIN + timedelta(seconds=30)),)
    assert watched.hides_view


def test_a_picture_a_second_is_measured() -> None:
    watched = ConditionWatch()
    picture = next(films.film("day", 1))

    looked = []
    for at in np.arange(0, 3, 0.2).tolist():
        if watched.is_due(at):
            watched.look(measure(picture), at, BEGIN)
            looked.append(round(at, 1))

    assert looked == [0.0, 1.0, 2.0]

"""`python -m bench.conditions`: what it counts, and one short run on drawn film."""

import json

import pytest

from bench.conditions import watching
from bench.conditions.__main__ import lines, main
from bench.conditions.clips import Part, sources
from bench.conditions.film import BEGINS, Film
from bench.conditions.light import SETTINGS
from bench.conditions.spoils import SPOILS
from bench.conditions.watching import Said


@pytest.mark.parametrize(("count", "most"), [(0, 2.996), (1, 4.744), (5, 10.513), (40, 52.069)])
def test_the_bound_of_a_count_is_that_of_the_tables(count: int, most: float) -> None:
    assert watching.bound(count) == pytest.approx(most, abs=0.001)


def test_a_rate_says_how_many_hours_it_rests_on() -> None:
    calm = [Said("yard", "day", "", 3600, None, ()), Said("street", "day", "", 3600, None, ("moved",))]

    found = watching.rate(calm)

    assert (found.clips, found.hours, found.false, found.a_week) == (2, 2.0, 1, 84.0)
    assert found.at_most_a_week == pytest.approx(4.744 * 84, rel=0.001)


def test_a_film_is_the_same_every_time_and_calm_until_something_goes_wrong() -> None:
    clip, tape = sources(Part.DRAWN)[0].open(), next(spoil for spoil in SPOILS if spoil.name == "tape")

    first, again = (list(Film(clip, SETTINGS[0], tape).pictures(BEGINS + 1)) for _ in range(2))

    assert all((one == other).all() for one, other in zip(first, again, strict=True))
    assert first[BEGINS][..., 1].std() < first[BEGINS - 1][..., 1].std() / 2


def test_tape_on_a_drawn_yard_is_said_and_calm_film_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    films = ["--part", "drawn", "--clips", "1", "--calm-hours", "0.02"]

    assert main([*films, "--faults", "tape", "--weathers", "day", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    (fault,) = [film for film in found["films"] if film["fault"]]
    assert fault["after"] == pytest.approx(15, abs=1)
    assert found["calm"]["false"] == 0


def test_the_table_names_what_was_missed_and_what_was_said_wrongly() -> None:
    said = [
        Said("yard", "day", "tape", 130, 16, ()),
        Said("street", "day", "tape", 130, None, ("moved",)),
        Said("yard", "day", "", 3600, None, ()),
    ]

    table = "\n".join(lines(said))

    assert "| tape | 1/2 16 s | moved 1 |" in table
    assert "| all | 1 | 1.0 | 0 | 0.0 | 503.3 |" in table

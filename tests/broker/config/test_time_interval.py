"""Hours of the week: spans, midnight, and when they end."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.config import time_interval

SEOUL = ZoneInfo("Asia/Seoul")


def at(text: str, zone: ZoneInfo = SEOUL) -> datetime:
    """Return a time of the week of Monday, 9 March 2026: `fri 22:30`."""
    day, _, clock = text.partition(" ")
    hour, _, minute = clock.partition(":")
    return datetime(2026, 3, 9 + time_interval.DAYS.index(day), int(hour), int(minute), tzinfo=zone)


@pytest.mark.parametrize(
    ("span", "holds", "rests"),
    [
        ("22:00-06:00", ["mon 22:00", "tue 05:59", "sun 23:00", "mon 00:00"], ["mon 21:59", "tue 06:00", "wed 12:00"]),
        ("mon-fri 22:00-06:00", ["fri 22:00", "sat 05:59"], ["sat 22:00", "sun 23:00", "mon 05:00"]),
        ("fri-mon", ["fri 00:00", "sat 12:00", "mon 23:59"], ["tue 00:00", "thu 23:59"]),
        ("sat,sun 08:00-20:00", ["sat 08:00", "sun 19:59"], ["sat 07:59", "sun 20:00", "mon 12:00"]),
        ("mon 00:00-24:00", ["mon 00:00", "mon 23:59"], ["tue 00:00", "sun 23:59"]),
        ("월-금 09:00-18:00", ["mon 09:00", "fri 17:59"], ["sat 10:00"]),
        ("WED", ["wed 12:00"], ["thu 00:00"]),
    ],
)
def test_a_span_holds(span: str, holds: list[str], rests: list[str]) -> None:
    read = time_interval.read(span)

    assert [when for when in holds if not read.holds_at(at(when))] == []
    assert [when for when in rests if read.holds_at(at(when))] == []


@pytest.mark.parametrize(
    ("spans", "when", "end"),
    [
        (["22:00-06:00"], "mon 23:00", "tue 06:00"),
        (["22:00-06:00"], "tue 05:00", "tue 06:00"),
        (["22:00-06:00"], "tue 12:00", None),
        (["22:00-06:00", "06:00-07:00"], "mon 23:00", "tue 07:00"),
        (["sat,sun", "22:00-06:00"], "fri 23:00", "mon 06:00"),
    ],
    ids=str,
)
def test_the_end_is_where_no_span_goes_on(spans: list[str], when: str, end: str | None) -> None:
    found = time_interval.end_after([time_interval.read(span) for span in spans], at(when))

    expected = None if end is None else at(end)
    if expected is not None and expected < at(when):
        expected = expected.replace(day=expected.day + 7)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not a time of the week; write it like"),
        ("noon", "'noon' is not a day; days are mon, tue"),
        ("22:00", "are not hours"),
        ("mon 25:00-26:00", "25:00 is not a time of day"),
        ("mon tue", "is not a time of the week"),
        ("22:00-06:00 mon", "is not a time of the week"),
        ("mon- 10:00-11:00", "'' is not a day"),
    ],
)
def test_what_is_no_span_is_refused_with_an_example(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        time_interval.read(text)


def test_hours_without_an_end_are_refused() -> None:
    with pytest.raises(ValueError, match="`quiet_hours`: these hours cover the whole week"):
        time_interval.require_gap(
            [time_interval.read("06:00-22:00"), time_interval.read("22:00-06:00")], "`quiet_hours`"
        )


def test_the_night_in_which_the_clock_springs_forward_ends_by_the_wall_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = datetime(2026, 3, 28, 23, 0, tzinfo=berlin)

    assert time_interval.end_after([time_interval.read("22:00-06:00")], night) == datetime(
        2026, 3, 29, 6, 0, tzinfo=berlin
    )


@given(st.text(max_size=30))
def test_any_text_is_a_span_or_refused(text: str) -> None:
    try:
        span = time_interval.read(text)
    except ValueError:
        return

    assert span.days <= frozenset(range(7))


@given(
    st.lists(
        st.builds(
            lambda first, last, start, end: time_interval.read(
                f"{first}-{last} {start // 60}:{start % 60:02}-{end}:00"
            ),
            st.sampled_from(time_interval.DAYS),
            st.sampled_from(time_interval.DAYS),
            st.integers(0, 24 * 60 - 1),
            st.integers(0, 24),
        ),
        max_size=4,
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
)
def test_after_its_end_a_schedule_does_not_hold(spans: list[time_interval.Span], local: datetime) -> None:
    try:
        end = time_interval.end_after(spans, local)
    except ValueError:
        return

    assert (end is not None) == time_interval.holds_at(spans, local)
    assert end is None or not time_interval.holds_at(spans, end)


def test_quiet_hours_that_end_in_the_hour_that_comes_twice_end_at_its_second_time() -> None:
    schedule = [time_interval.read("22:00-01:30")]
    first = datetime(2026, 11, 1, 1, 15, tzinfo=ZoneInfo("America/New_York"))

    for local in (first, first.replace(minute=45), first.replace(fold=1)):
        end = time_interval.end_after(schedule, local)
        assert end is not None
        assert end.astimezone(UTC) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert time_interval.end_after(schedule, first.replace(minute=30, fold=1)) is None

"""docs/scale.md says what its arithmetic says."""

import math

from bench.capacity import sizing
from bench.capacity.sizing import Need


def test_the_page_holds_the_table_as_it_is_computed() -> None:
    page = sizing.PAGE.read_text(encoding="utf-8")

    assert sizing.written(page) == page
    assert sizing.table() in page


def test_ten_times_the_cameras_need_ten_times_the_room() -> None:
    few, many = Need(100_000), Need(1_000_000)

    assert math.isclose(many.kept_tb, 10 * few.kept_tb)
    assert few.cores < many.cores <= 10 * few.cores

"""docs/scale.md says what its arithmetic says."""

import math

from bench import scale
from bench.scale import Need


def test_the_page_holds_the_table_as_it_is_computed() -> None:
    page = scale.PAGE.read_text(encoding="utf-8")

    assert scale.written(page) == page
    assert scale.table() in page


def test_ten_times_the_cameras_need_ten_times_the_room() -> None:
    few, many = Need(100_000), Need(1_000_000)

    assert math.isclose(many.kept_tb, 10 * few.kept_tb)
    assert few.cores < many.cores <= 10 * few.cores

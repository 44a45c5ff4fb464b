"""The journal: visits in the words of the contract, and when they are worth a caption."""

import itertools

from contract.caption import MAX_VISITS, InZone, Phase, Visit
from edge import config
from edge.infer.detection import Detection
from edge.look.visits.journal import STILL_SECONDS, Journal, News

DOOR = ((0.6, 0.5), (1.0, 0.5), (1.0, 1.0), (0.6, 1.0))


class Watch:
    """A journal that looks twice a second."""

    def __init__(self) -> None:
        ids = itertools.count(1)
        self.journal = Journal(config.Visits(), {"north-door": DOOR}, lambda: f"id-{next(ids)}")
        self.at = 0.0

    def look(self, *places: float, seconds: float) -> News:
        """Look for some seconds at people at these shares of the width, and return the last look's news."""
        for _ in range(round(seconds * 2)):
            self.at += 0.5
            boxes = [Detection("person", 0.6, x, 0.4, 0.06, 0.2) for x in places]
            self.journal.look([*boxes, Detection("fire", 0.9, 0, 0, 1, 1)], self.at)
        return self.journal.news(self.at)

    def tell(self) -> tuple[Visit, ...]:
        """Write a caption."""
        said = self.journal.describe(self.at)
        self.journal.tell(said, self.at)
        return said


def test_who_comes_into_an_empty_view_is_news_now_and_who_joins_them_soon() -> None:
    watch = Watch()

    assert watch.look(0.1, seconds=1) is News.NONE
    assert watch.look(0.1, seconds=1) is News.NOW
    assert watch.tell() == (Visit("id-1", Phase.ARRIVES, 2),)
    assert watch.look(0.1, seconds=3) is News.NONE
    assert watch.look(0.1, 0.4, seconds=2) is News.SOON
    assert watch.tell() == (Visit("id-2", Phase.ARRIVES, 2), Visit("id-1", Phase.STAYS, 6))


def test_a_visit_ends_once_and_the_last_one_at_once() -> None:
    watch = Watch()
    watch.look(0.1, 0.4, seconds=4)
    watch.tell()

    assert watch.look(0.1, seconds=5) is News.SOON
    assert [(visit.id, visit.phase, visit.seconds) for visit in watch.tell()] == [
        ("id-2", Phase.LEAVES, 4),
        ("id-1", Phase.STAYS, 8),
    ]
    assert watch.look(seconds=5) is News.NOW
    assert watch.journal.people == 0
    assert [(visit.id, visit.phase) for visit in watch.tell()] == [("id-1", Phase.LEAVES)]
    assert watch.look(seconds=5) is News.NONE
    assert watch.tell() == ()


def test_a_visit_that_no_caption_told_of_ends_without_one() -> None:
    watch = Watch()
    watch.look(0.1, seconds=3)

    assert watch.look(seconds=6) is News.NONE
    assert watch.tell() == ()


def test_who_enters_a_zone_is_news_now_and_the_time_there_counts_by_itself() -> None:
    watch = Watch()
    watch.look(0.5, seconds=4)
    watch.tell()

    assert watch.look(0.54, seconds=0.5) is News.NONE
    assert watch.look(0.58, seconds=1.5) is News.NOW
    assert watch.tell() == (Visit("id-1", Phase.STAYS, 6, (InZone("north-door", 1, entered=True),)),)
    assert watch.look(0.58, seconds=3) is News.NONE
    assert watch.look(0.58, seconds=6) is News.SOON
    assert watch.tell() == (Visit("id-1", Phase.STAYS, 14, (InZone("north-door", 10),)),)


def test_feet_that_flicker_over_the_edge_of_a_zone_enter_it_not() -> None:
    watch = Watch()
    for _ in range(8):
        watch.look(0.55, seconds=0.5)
        watch.look(0.58, seconds=0.5)
    watch.look(0.55, seconds=1)

    assert [visit.zones for visit in watch.tell()] == [()]


def test_who_stays_is_news_at_each_step_of_staying_and_then_each_time_as_long_again() -> None:
    watch = Watch()
    watch.look(0.1, seconds=2)
    watch.tell()

    steps = []
    for second in range(3, 2000):
        if watch.look(0.1, seconds=1) is not News.NONE:
            steps.append(second)
            watch.tell()

    # The first look was half a second after the beginning.
    assert [second - 1 for second in steps] == [10, 30, 60, 120, 300, 600, 1200, 1800]


def test_people_who_move_are_looked_at_often_others_seldom_and_nobody_never() -> None:
    watch = Watch()
    again = watch.journal.look_again_seconds

    assert again(moving=True) is None
    watch.look(0.1, seconds=0.5)
    assert again(moving=False) == 0.5
    watch.look(0.1, seconds=3)
    assert (again(moving=True), again(moving=False)) == (0.5, STILL_SECONDS)


def test_of_a_crowd_a_caption_tells_of_those_with_news_first() -> None:
    watch = Watch()
    places = [0.1 * n for n in range(9)]
    watch.look(*places[:7], seconds=3)
    watch.tell()

    watch.look(*places, seconds=2)
    said = watch.tell()

    assert len(said) == MAX_VISITS
    assert [visit.phase for visit in said[:2]] == [Phase.ARRIVES, Phase.ARRIVES]
    assert watch.journal.people == 9


def test_who_is_cut_off_by_the_lower_edge_stands_in_a_zone_that_reaches_it() -> None:
    journal = Journal(config.Visits(), {"north-door": DOOR}, lambda: "id-1")
    for number in range(6):
        journal.look([Detection("person", 0.9, 0.7, 0.6, 0.1, 0.5)], number / 2)

    (visit,) = journal.describe(3.0)

    assert [zone.name for zone in visit.zones] == ["north-door"]

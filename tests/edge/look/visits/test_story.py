"""The story: when a look is worth a caption, and its words."""

import pytest

from contract.caption import InZone, Phase, Visit
from edge import config
from edge.infer.captioner import Sentence
from edge.look.gate import Reason
from edge.look.visits import story
from edge.look.visits.journal import News
from edge.look.visits.story import Story, Worth


def worth(
    reason: Reason, news: News = News.NONE, *, told: float = 20, asked: float = 20, danger: bool = False
) -> Worth:
    return story.judge(
        reason,
        news,
        is_danger_ongoing=danger,
        told_seconds=told,
        asked_seconds=asked,
        gate=config.Gate(),
        visits=config.Visits(),
    )


@pytest.mark.parametrize("reason", [Reason.FIRST, Reason.SCENE, Reason.OVERDUE])
def test_a_first_another_or_an_overdue_scene_is_worth_a_caption(reason: Reason) -> None:
    assert worth(reason, told=0.1) is Worth.CAPTION


def test_motion_alone_is_worth_another_sentence_now_and_then() -> None:
    assert worth(Reason.MOTION) is Worth.SENTENCE
    assert worth(Reason.MOTION, asked=9) is Worth.NOTHING
    assert worth(Reason.MOTION, told=60) is Worth.CAPTION
    assert worth(Reason.DOUBT) is Worth.NOTHING


def test_motion_while_a_danger_goes_on_is_worth_a_caption_each_time() -> None:
    assert worth(Reason.MOTION, told=1, asked=1, danger=True) is Worth.CAPTION


def test_news_waits_as_long_as_it_may() -> None:
    assert worth(Reason.DOUBT, News.NOW, told=1) is Worth.CAPTION
    assert worth(Reason.DOUBT, News.NOW, told=0.9) is Worth.NOTHING
    assert worth(Reason.DOUBT, News.SOON, told=10) is Worth.CAPTION
    assert worth(Reason.DOUBT, News.SOON, told=9) is Worth.NOTHING


def sentence(text: str) -> Sentence:
    return Sentence(text, tuple(text.split()), (), 0.5, (), ())


def said(teller: Story, texts: list[str], people: int = 1, *, is_fresh: bool = False) -> list[str]:
    return [teller.settle(sentence(text), people, is_fresh=is_fresh).text for text in texts]


def test_a_sentence_changes_once_two_in_a_row_say_the_same() -> None:
    assert said(Story(), ["a", "b", "a", "b", "c", "c", "c", "a"]) == ["a", "a", "a", "a", "a", "c", "c", "c"]


def test_a_sentence_changes_at_once_with_the_number_of_people_or_for_a_danger() -> None:
    teller = Story()

    assert said(teller, ["a"], people=1) == ["a"]
    assert said(teller, ["b"], people=2) == ["b"]
    assert said(teller, ["c"], people=2, is_fresh=True) == ["c"]


def visit(*zones: InZone) -> Visit:
    return Visit("9f3c61d2", Phase.STAYS, 60, zones)


ENTERED = visit(InZone("north-door", 1, entered=True))
THERE = visit(InZone("north-door", 5))
STAYED = visit(InZone("north-door", 30))


@pytest.mark.parametrize(
    ("text", "visits", "people", "told"),
    [
        ("a man is walking", (visit(),), 1, "a man is walking"),
        ("a person is in view, on the left", (ENTERED,), 1, "a person comes to the north door"),
        ("a person is in view", (THERE,), 1, "a person is at the north door"),
        ("nobody is in view", (STAYED,), 1, "a person stays at the north door"),
        ("a young man is walking", (STAYED,), 1, "a young man stays at the north door: a young man is walking"),
        ("two people are in view", (ENTERED, ENTERED), 2, "two people come to the north door"),
        ("three people are in view", (STAYED,), 3, "a person stays at the north door: three people are in view"),
        ("two people are in view", (STAYED, ENTERED), 2, "a person comes to the north door: two people are in view"),
    ],
)
def test_a_sentence_says_who_is_at_a_zone(text: str, visits: tuple[Visit, ...], people: int, told: str) -> None:
    assert story.with_zone(text, visits, people, "en", 10) == told


def test_in_another_language_the_zone_stands_before_the_sentence() -> None:
    assert story.with_zone("남자가 걷는다", (ENTERED,), 1, "ko", 10) == "north door: 남자가 걷는다"

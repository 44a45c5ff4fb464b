"""Events: what was found, in the words of the contract."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract import caption
from contract.caption import Box
from contract.errors import Refused
from edge.infer.captioner import Sentence
from edge.infer.detection import Detection
from edge.infer.hazards import Hazard
from edge.look import event
from edge.look.crops import Region
from edge.look.event import Eye
from edge.look.memory.danger_memory import Belief

EYE = Eye("lab", "dev-1", "cam-0", "tiny@0.1.0", "en")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def sentence(*words: str, hazards: tuple[Hazard, ...] = ()) -> Sentence:
    return Sentence(" ".join(words), words, (), 0.123456, hazards, ())


def compose(said: Sentence, detections: tuple[Detection, ...] = (), eye: Eye = EYE) -> caption.Caption:
    return event.compose(
        said, detections, eye, captured_at=NOW, now=NOW + timedelta(seconds=1), seq=7, event_id="0123456789"
    )


def person(score: float, x: float = 0.0) -> Detection:
    return Detection("person", score, x, 0, 0.5, 1)


def test_an_event_says_who_saw_what_and_when() -> None:
    made = compose(sentence("a", "dog"), (person(0.5), Detection("fire", 0.9, 0, 0, 1, 1), person(0.87654, x=0.5)))

    assert (made.text, made.confidence, made.seq, made.id) == ("a dog", 0.123, 7, "0123456789")
    assert made.source == "/wordcam/lab/dev-1/cam-0"
    assert (made.captured_at, made.time) == (NOW, NOW + timedelta(seconds=1))
    assert [(label.name, label.count, label.score) for label in made.labels] == [("fire", 1, 0.9), ("person", 2, 0.877)]


def test_improbable_dangers_are_left_out() -> None:
    made = compose(sentence("a", hazards=(Hazard("gun", 0.75), Hazard("fire", 0.0004))))

    assert [(hazard.term, hazard.probability) for hazard in made.hazards] == [("gun", 0.75)]


def test_the_fullest_event_fits_on_the_wire() -> None:
    crowd = tuple(Detection(f"{n}" * 32, 0.9, 0, 0, 1, 1) for n in range(10) for _ in range(1200))
    dangers = tuple(Hazard(f"{n}" * 32, 0.5) for n in range(10))

    made = compose(sentence(*["word"] * 100, hazards=dangers), crowd)

    assert len(caption.encode(made)) <= 2048
    assert len(made.text) <= caption.MAX_TEXT_CHARS
    assert (len(made.labels), len(made.hazards), made.labels[0].count) == (8, 8, 999)


def test_an_event_that_breaks_the_contract_is_refused_before_it_is_accepted() -> None:
    with pytest.raises(Refused, match="hazards"):
        compose(sentence("a", hazards=(Hazard("x" * 33, 0.5),)))
    with pytest.raises(Refused, match="text"):
        compose(sentence())


def belief(danger: str, probability: float, evidence: float, **more: Any) -> Belief:
    return Belief(danger, probability, evidence, more.get("since"), more.get("region"))


def test_a_danger_is_told_with_its_evidence_since_when_and_where() -> None:
    ongoing = belief("gun", 0.98765, 0.71234, since=10.0, region=Region(0.1, 0.2, 0.3, 0.9, 0.5))

    (found,) = event.dangers([ongoing, belief("fire", 0.0067, 0.001)], NOW, at=12.5)

    assert (found.term, found.probability, found.evidence) == ("gun", 0.988, 0.712)
    assert found.since == NOW - timedelta(seconds=2.5)
    assert found.box == Box(0.1, 0.2, 0.3, 0.3)


def test_a_danger_in_doubt_is_told_without_a_beginning() -> None:
    (found,) = event.dangers([belief("gun", 0.1, 0.9)], NOW, at=1.0)

    assert (found.probability, found.evidence, found.since, found.box) == (0.1, 0.9, None, None)


def test_an_event_too_long_for_the_wire_gives_up_details_before_dangers() -> None:
    where = Region(0.123, 0.234, 0.345, 0.9, 0.5)
    beliefs = [belief(f"{n}" * 32, 0.987, 0.987, since=0.1, region=where) for n in range(8)]
    crowd = tuple(Detection(f"{n}" * 32, 0.9, 0, 0, 1, 1) for n in range(8))

    made = event.compose(
        sentence("가" * 190),
        crowd,
        EYE,
        captured_at=NOW,
        now=NOW,
        seq=7,
        event_id="0123456789",
        dangers=event.dangers(beliefs, NOW, at=1.0),
    )

    assert [(hazard.probability, hazard.evidence) for hazard in made.hazards] == [(0.987, None)] * 8


def test_the_surest_four_of_a_kind_are_placed_within_the_frame() -> None:
    crowd = tuple(person(0.5 + number / 100, x=number / 10) for number in range(8))

    (label,) = compose(sentence("a", "crowd"), crowd).labels

    assert label.boxes == (Box(0.7, 0, 0.3, 1), Box(0.6, 0, 0.4, 1), Box(0.5, 0, 0.5, 1), Box(0.4, 0, 0.5, 1))


def test_an_event_too_long_for_the_wire_gives_up_boxes_of_things_first() -> None:
    many = tuple(Detection(f"{n}" * 32, 0.9, 0.123, 0.123, 0.5, 0.5) for n in range(8) for _ in range(4))

    made = compose(sentence("a", "crowd"), many)

    assert len(made.labels) == 8
    assert not any(label.boxes for label in made.labels)

"""What a model believes is not shown as if a sentence said it."""

from datetime import UTC, datetime

from broker.notify import reasons
from broker.notify.reasons import NotNotifiedYet, Prose
from broker.rules.reasons import HazardBelieved, Reason, Says
from broker.store.captions import Decision
from broker.store.search import Found
from broker.web.rendering import belief

NOW = datetime(2026, 3, 14, 3, 0, tzinfo=UTC)
BELIEF = HazardBelieved("gun", 0.73, 0.5)


def found(*because: Reason, outcome: str = "first", incident: int = 7) -> Found:
    """Give a caption with one decision."""
    decision = Decision("gun", outcome, reasons.encode(because), incident)
    text = "two men in suits standing in a room"
    return Found(1, "pier", "pi-01", "cam-0", NOW, text, "en", 0.8, "wordcam-1", "", (decision,))


def test_a_belief_without_words_is_found() -> None:
    assert belief.of(found(BELIEF, NotNotifiedYet())) == BELIEF


def test_where_the_sentence_says_it_there_is_no_mere_belief() -> None:
    assert belief.of(found(Says("gun"), BELIEF)) is None


def test_a_cancelled_rule_believes_nothing() -> None:
    assert belief.of(found(BELIEF, outcome="cancelled")) is None


def test_another_incidents_belief_is_not_this_ones() -> None:
    assert belief.of(found(BELIEF, incident=7), 8) is None


def test_reasons_of_version_01_are_no_belief() -> None:
    assert belief.of(found(Prose("hazard gun 0.73 is at least 0.50"))) is None

"""The caption event: what the captioner and the detector found, in the words of the contract."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contract import caption
from contract.caption import Caption, Hazard, Label
from edge.infer.captioner import Sentence
from edge.infer.detection import Detection

MAX_LABELS: Final = 8
MAX_HAZARDS: Final = 8
MAX_COUNT: Final = 999
"""Limits of the contract; what is more probable goes first."""

DIGITS: Final = 3
"""Digits of a share: a thousandth is finer than any model is sure."""


@dataclass(frozen=True, slots=True)
class Eye:
    """Whose words these are."""

    site: str
    device: str
    stream: str
    model: str
    """Model bundle that writes them, `name@version`."""
    language: str


def compose(  # noqa: PLR0913  # an event is made of that much
    sentence: Sentence,
    detections: Sequence[Detection],
    eye: Eye,
    *,
    captured_at: datetime,
    now: datetime,
    seq: int,
    event_id: str,
) -> Caption:
    """Write the event; raises `contract.errors.Refused` where it would not keep the contract."""
    event = Caption(
        text=caption.one_line(sentence.text.split()),
        captured_at=captured_at,
        site=eye.site,
        device=eye.device,
        stream=eye.stream,
        confidence=round(sentence.confidence, DIGITS),
        labels=labels(detections),
        hazards=hazards(sentence),
        language=eye.language,
        model=eye.model,
        seq=seq,
        id=event_id,
        source=caption.source(eye.site, eye.device, eye.stream),
        time=now,
    )
    # Building an event checks no limits, reading one does: better refused here than by the server.
    return caption.decode(caption.encode(event))


def labels(detections: Sequence[Detection]) -> tuple[Label, ...]:
    """Count the detections by name, the surest first."""
    counts: dict[str, list[float]] = {}
    for detection in detections:
        counts.setdefault(detection.name, []).append(detection.score)
    found = [
        Label(name, min(len(scores), MAX_COUNT), round(min(1.0, max(scores)), DIGITS))
        for name, scores in counts.items()
    ]
    return tuple(sorted(found, key=lambda label: -label.score)[:MAX_LABELS])


def hazards(sentence: Sentence) -> tuple[Hazard, ...]:
    """Give the dangers that the beam speaks of, the most probable first; without those below half a thousandth."""
    found = [Hazard(hazard.term, round(hazard.probability, DIGITS)) for hazard in sentence.hazards]
    return tuple(hazard for hazard in found if hazard.probability > 0)[:MAX_HAZARDS]

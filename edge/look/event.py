"""The caption event: what the captioner and the detector found, in the words of the contract."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from contract import caption
from contract.caption import Box, Caption, Hazard, Label, Visit
from contract.errors import Refused
from edge.infer.captioner import Sentence
from edge.infer.detection import Detection
from edge.infer.hazards import WORTH_TELLING
from edge.look import counting
from edge.look.crops import Region
from edge.look.memory.danger_memory import Belief

MAX_LABELS: Final = 8
MAX_HAZARDS: Final = 8
MAX_COUNT: Final = 999
"""Limits of the contract; what is more probable goes first."""

DIGITS: Final = 3
"""Digits of a share: a thousandth is finer than any model is sure."""

PLACE_DIGITS: Final = 2
"""Digits of a place: a hundredth of the frame is finer than the detector's boxes are."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who is in view."""

    people: int
    visits: tuple[Visit, ...]


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
    dangers: Sequence[Hazard] | None = None,
    company: Company | None = None,
) -> Caption:
    """Write the event; raises `contract.errors.Refused` where it would not keep the contract.

    `dangers` are what the camera's memory believes; without one, the sentence's own are taken. Where the event would be
    too long, the boxes of things go, then visits from the last on, and then the details of dangers.
    """
    found = hazards(sentence) if dangers is None else tuple(dangers)
    event = Caption(
        text=caption.one_line(sentence.text.split()),
        captured_at=captured_at,
        site=eye.site,
        device=eye.device,
        stream=eye.stream,
        confidence=round(sentence.confidence, DIGITS),
        labels=labels(detections),
        hazards=found,
        people=msgspec.UNSET if company is None else min(company.people, MAX_COUNT),
        visits=(company and company.visits) or msgspec.UNSET,
        language=eye.language,
        model=eye.model,
        seq=seq,
        id=event_id,
        source=caption.source(eye.site, eye.device, eye.stream),
        time=now,
    )
    return _fitting(event)


def _fitting(event: Caption) -> Caption:
    """Return the event without what makes it too long, and checked: building one checks no limits, reading one does."""
    try:
        return caption.decode(caption.encode(event))
    except Refused as error:
        if error.reason != "too-large":
            raise
    if any(label.boxes for label in event.labels):
        return _fitting(msgspec.structs.replace(event, labels=tuple(map(_without_boxes, event.labels))))
    if event.visits:
        return _fitting(msgspec.structs.replace(event, visits=event.visits[: len(event.visits) // 2] or msgspec.UNSET))
    bare = tuple(Hazard(hazard.term, hazard.probability) for hazard in event.hazards)
    return caption.decode(caption.encode(msgspec.structs.replace(event, hazards=bare)))


def dangers(beliefs: Sequence[Belief], captured_at: datetime, at: float) -> tuple[Hazard, ...]:
    """Write what a memory believes after the frame taken at `at` on the camera's clock; without what is improbable."""
    found = (_danger(belief, captured_at, at) for belief in beliefs)
    told = [hazard for hazard in found if max(hazard.probability, hazard.evidence or 0.0) >= WORTH_TELLING]
    return tuple(told[:MAX_HAZARDS])


def _danger(belief: Belief, captured_at: datetime, at: float) -> Hazard:
    since = None if belief.since is None else captured_at - timedelta(seconds=at - belief.since)
    return Hazard(
        belief.danger,
        round(belief.probability, DIGITS),
        round(belief.evidence, DIGITS),
        since,
        None if belief.region is None else _box(belief.region),
    )


def _box(region: Region) -> Box:
    left, top, side = (round(min(1.0, max(0.0, length)), DIGITS) for length in (region.left, region.top, region.side))
    return Box(left, top, side, side)


def labels(detections: Sequence[Detection]) -> tuple[Label, ...]:
    """Count what the detections of each name stand for, the surest first."""
    by_name: dict[str, list[Detection]] = {}
    for detection in detections:
        by_name.setdefault(detection.name, []).append(detection)
    found = [
        Label(
            name,
            min(counting.count(boxes), MAX_COUNT),
            round(min(1.0, max(box.score for box in boxes)), DIGITS),
            tuple(_place(box) for box in sorted(boxes, key=lambda box: -box.score)[: caption.MAX_BOXES]),
        )
        for name, boxes in by_name.items()
    ]
    return tuple(sorted(found, key=lambda label: -label.score)[:MAX_LABELS])


def _place(found: Detection) -> Box:
    """Return where something is, within the frame."""
    left, top = min(1.0, max(0.0, found.x)), min(1.0, max(0.0, found.y))
    right, bottom = min(1.0, max(left, found.x + found.w)), min(1.0, max(top, found.y + found.h))
    return Box(*(round(length, PLACE_DIGITS) for length in (left, top, right - left, bottom - top)))


def _without_boxes(label: Label) -> Label:
    return msgspec.structs.replace(label, boxes=msgspec.UNSET)


def hazards(sentence: Sentence) -> tuple[Hazard, ...]:
    """Return the dangers that the beam speaks of, the most probable first; without those below half a thousandth."""
    found = [Hazard(hazard.term, round(hazard.probability, DIGITS)) for hazard in sentence.hazards]
    return tuple(hazard for hazard in found if hazard.probability > 0)[:MAX_HAZARDS]

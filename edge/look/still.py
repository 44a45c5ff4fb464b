"""Still pictures: what the captioner says about files."""

from pathlib import Path

import msgspec

from contract.caption import Hazard, Label
from edge import config
from edge.errors import Misconfigured
from edge.infer import image
from edge.infer.captioner import Captioner
from edge.look import event, scene
from edge.process.stage_timer import Latency


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What was said about one file."""

    file: str
    """The path as it was given."""
    text: str
    """The sentence."""
    confidence: float
    """0 to 1."""
    labels: tuple[Label, ...]
    """What the detector counted."""
    hazards: tuple[Hazard, ...]
    """Dangers that the beam speaks of."""
    language: str
    """Language of the sentence."""
    model: str
    """Model bundle, `name@version`."""


def describe(captioner: Captioner, file: Path, crops: config.Crops) -> Said:
    """Caption a picture file; raises `Misconfigured` naming it where it cannot be read."""
    try:
        bgr = image.read_bgr(file)
    except image.Unreadable as error:
        raise Misconfigured(str(error)) from error
    size = captioner.manifest.input
    small = image.rgb(image.fit(bgr, size.height, size.width))
    seen = scene.describe(captioner, bgr, small, crops, Latency())
    return Said(
        file=str(file),
        text=seen.sentence.text,
        confidence=round(seen.sentence.confidence, event.DIGITS),
        labels=event.labels(seen.detections),
        hazards=event.hazards(seen.sentence),
        language=captioner.manifest.language,
        model=captioner.manifest.model,
    )


def line(said: Said) -> str:
    """Return what was said for people to read."""
    beside = [f"{label.count} {label.name}" for label in said.labels]
    beside += [f"{hazard.term} {hazard.probability:.0%}" for hazard in said.hazards]
    return f"{said.file}: {said.text} ({', '.join([f'{said.confidence:.0%} sure', *beside])})"

"""A scene: all that is found out about one frame, by one look at the whole and closer ones where it leaves a doubt."""

from dataclasses import dataclass, replace

from edge import config
from edge.infer import image
from edge.infer.captioner import Captioner, Sentence, Weighed
from edge.infer.detection import Detection
from edge.infer.hazards import Hazard
from edge.infer.image import Picture
from edge.look import crops as closer
from edge.look import location_phrase
from edge.look.crops import Reason, Region
from edge.process.stage_timer import Latency


@dataclass(frozen=True, slots=True)
class Scene:
    """What one frame shows."""

    sentence: Sentence
    """About the crop that shows a danger, with where it is, or else about the frame; its hazards are of both."""
    detections: tuple[Detection, ...]
    """Boxes of the whole frame."""
    crops: int
    """Closer looks taken."""


@dataclass(frozen=True, slots=True)
class _Crop:
    """A closer look and what it is worth."""

    region: Region
    weighed: Weighed
    hazards: tuple[Hazard, ...]
    """Dangers that it bears out."""
    excess: float
    """By how much the clearest danger exceeds its limit; below 0 where none does."""


def describe(captioner: Captioner, bgr: Picture, small: Picture, settings: config.Closer, latency: Latency) -> Scene:
    """Describe a frame; `small` is the same frame in RGB, squashed to the encoder's size."""
    with latency.of("encode"):
        features = captioner.encode(small)
    with latency.of("detect"):
        detections = captioner.detect(features)
    with latency.of("weigh"):
        weighed = captioner.weigh(features)
    crops = _closer(captioner, bgr, weighed, detections, settings, latency)
    with latency.of("decode"):
        sentence = _speak(captioner, weighed, crops)
    return Scene(sentence, tuple(detections), len(crops))


def _closer(  # noqa: PLR0913, PLR0917  # what a closer look needs to know of the first one
    captioner: Captioner,
    bgr: Picture,
    weighed: Weighed,
    detections: list[Detection],
    settings: config.Closer,
    latency: Latency,
) -> list[_Crop]:
    """Look closer where it is worth it."""
    manifest = captioner.manifest
    why = closer.judge(weighed.evidence, manifest.evidence, manifest.crop_evidence, settings)
    if why is not Reason.WORTH:
        return []
    found = closer.regions(detections, settings, *bgr.shape[:2])
    with latency.of("closer"):
        return [_look(captioner, bgr, region) for region in found]


def _look(captioner: Captioner, bgr: Picture, region: Region) -> _Crop:
    """Judge what a part of the frame shows."""
    weighed, limits = weigh(captioner, bgr, region), captioner.manifest.crop_evidence
    excess = {term: weighed.evidence[term] - limit for term, limit in limits.items()}
    borne_out = tuple(Hazard(term, weighed.evidence[term]) for term, over in excess.items() if over >= 0)
    return _Crop(region, weighed, borne_out, max(excess.values()))


def weigh(captioner: Captioner, bgr: Picture, region: Region) -> Weighed:
    """Weigh what a part of a frame shows, by the camera's own pixels."""
    size = captioner.manifest.input
    part = image.fit(image.cut(bgr, region.left, region.top, region.side), size.height, size.width)
    return captioner.weigh(captioner.encode(image.rgb(part)))


def _speak(captioner: Captioner, weighed: Weighed, crops: list[_Crop]) -> Sentence:
    """Say what the clearest crop shows where any bears out a danger, and else what the frame shows."""
    best = max(crops, key=lambda crop: crop.excess, default=None)
    if best is None or best.excess < 0:
        return captioner.speak(weighed)
    manifest = captioner.manifest
    sentence = captioner.speak(best.weighed, manifest.crop_evidence)
    text = location_phrase.tell(sentence.text, best.region, manifest.language)
    found = (*captioner.hazards(weighed), *(hazard for crop in crops for hazard in crop.hazards))
    return replace(sentence, text=text, hazards=_surest(found))


def _surest(found: tuple[Hazard, ...]) -> tuple[Hazard, ...]:
    """Keep each danger at its most probable, the most probable first."""
    best: dict[str, Hazard] = {}
    for hazard in sorted(found, key=lambda hazard: (-hazard.probability, hazard.term)):
        best.setdefault(hazard.term, hazard)
    return tuple(best.values())

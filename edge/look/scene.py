"""A scene: all that is found out about one frame, by one look at the whole, and at crops where that leaves a doubt."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from edge import config
from edge.infer import image
from edge.infer.captioner import Captioner, Sentence, Weighed
from edge.infer.detection import Detection
from edge.infer.hazards import Hazard
from edge.infer.image import Picture
from edge.look import crops, location_phrase, visibility, wording
from edge.look.crops import Reason, Region
from edge.look.memory import reading
from edge.look.memory.reading import Reading
from edge.process.stage_timer import Latency


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of the frame that was weighed by itself."""

    region: Region
    weighed: Weighed

    def excess(self, limits: Mapping[str, float]) -> dict[str, float]:
        """Return by how much each danger of `limits` exceeds its limit."""
        return {term: self.weighed.evidence[term] - limit for term, limit in limits.items()}


@dataclass(frozen=True, slots=True)
class Sight:
    """What one frame shows, before a word is said of it."""

    weighed: Weighed
    """The whole frame."""
    detections: tuple[Detection, ...]
    """Boxes of the whole frame."""
    crops: tuple[Crop, ...]
    """Parts of it that were weighed as well."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What one frame shows."""

    sentence: Sentence
    """About the crop that shows a danger, with where it is, or else about the frame; its hazards are of both."""
    detections: tuple[Detection, ...]
    """Boxes of the whole frame."""
    crops: int
    """Crops looked at."""


def describe(captioner: Captioner, bgr: Picture, small: Picture, settings: config.Crops, latency: Latency) -> Scene:
    """Describe a still picture; `small` is the same picture in RGB, squashed to the encoder's size."""
    sight = look(captioner, bgr, small, settings, latency)
    return tell(captioner, sight, latency)


def look(captioner: Captioner, bgr: Picture, small: Picture, settings: config.Crops, latency: Latency) -> Sight:
    """Weigh a frame, and parts of it where it leaves a doubt; one that shows nothing is evidence of nothing."""
    with latency.of("encode"):
        features = captioner.encode(small)
    with latency.of("detect"):
        detections = captioner.detect(features)
    with latency.of("weigh"):
        weighed = captioner.weigh(features)
    if visibility.is_dark(small) or visibility.is_blank(small):
        return without_evidence(Sight(weighed, tuple(detections), ()))
    found = _crops(captioner, bgr, weighed, detections, settings, latency)
    weights = captioner.manifest.crop_weight or {}
    return Sight(replace(weighed, evidence=_shared(weighed.evidence, found, weights)), tuple(detections), found)


def without_evidence(sight: Sight) -> Sight:
    """Return a sight of a picture that shows nothing: no danger is in it, whatever was weighed."""
    nothing = dict.fromkeys(sight.weighed.evidence, 0.0)
    return Sight(replace(sight.weighed, evidence=nothing), sight.detections, ())


def readings(captioner: Captioner, sight: Sight) -> dict[str, Reading]:
    """Return each danger's clearest evidence, of the frame and its crops; empty where the bundle weighs none."""
    manifest = captioner.manifest
    frame = {
        term: reading.read(sight.weighed.evidence[term], threshold, _box(sight.detections, term))
        for term, threshold in manifest.evidence.items()
    }
    parts = (
        {
            term: reading.read(crop.weighed.evidence[term], threshold, crop.region)
            for term, threshold in manifest.crop_evidence.items()
        }
        for crop in sight.crops
    )
    return reading.strongest((frame, *parts))


def find(captioner: Captioner, small: Picture, latency: Latency) -> tuple[Detection, ...]:
    """Find the boxes of a frame, and no more: half of what a whole look costs, or less."""
    with latency.of("encode"):
        features = captioner.encode(small)
    with latency.of("detect"):
        return tuple(captioner.detect(features))


def tell(
    captioner: Captioner, sight: Sight, latency: Latency, ongoing: Set[str] | None = None, people: int = 0
) -> Scene:
    """Say what a frame shows.

    It names the dangers that are `ongoing` and no others; without a memory, those that the frame itself bears out.
    `people` were counted in view, over many frames; 0 where nobody was.
    """
    with latency.of("decode"):
        sentence = _speak(captioner, sight, ongoing, people)
    return Scene(sentence, sight.detections, len(sight.crops))


def weigh(captioner: Captioner, bgr: Picture, region: Region) -> Weighed:
    """Weigh what a part of a frame shows, by the camera's own pixels."""
    size = captioner.manifest.input
    part = image.fit(image.cut(bgr, region.left, region.top, region.side), size.height, size.width)
    return captioner.weigh(captioner.encode(image.rgb(part)))


def _crops(  # noqa: PLR0913, PLR0917  # what a look at crops needs to know of the first one
    captioner: Captioner,
    bgr: Picture,
    weighed: Weighed,
    detections: list[Detection],
    settings: config.Crops,
    latency: Latency,
) -> tuple[Crop, ...]:
    """Look at crops where it is worth it."""
    manifest = captioner.manifest
    shared = manifest.crop_weight or {}
    why = crops.judge(weighed.evidence, manifest.evidence, manifest.crop_evidence, settings, shared)
    if why is not Reason.WORTH:
        return ()
    found = crops.regions(detections, settings, *bgr.shape[:2])
    with latency.of("closer"):
        return tuple(Crop(region, weigh(captioner, bgr, region)) for region in found)


def _shared(frame: Mapping[str, float], found: tuple[Crop, ...], weights: Mapping[str, float]) -> dict[str, float]:
    """Return the evidence of a frame, where it has crops together with the clearest of them, each by its weight."""
    if not found:
        return dict(frame)
    clearest = {term: max(crop.weighed.evidence[term] for crop in found) for term in weights}
    joint = {
        term: reading.probability(
            (1 - weight) * reading.log_odds(frame[term]) + weight * reading.log_odds(clearest[term])
        )
        for term, weight in weights.items()
    }
    return {**frame, **joint}


def _speak(captioner: Captioner, sight: Sight, ongoing: Set[str] | None, people: int) -> Sentence:
    """Say what the clearest crop shows where any bears out a danger that may be named, and else what the frame shows.

    What is said of a crop begins with where it is.
    """
    manifest = captioner.manifest
    limits = {term: limit for term, limit in manifest.crop_evidence.items() if ongoing is None or term in ongoing}
    clearest = max(sight.crops, key=lambda crop: _most(crop, limits), default=None) if limits else None
    if clearest is None or _most(clearest, limits) < 0:
        return _settled(captioner, sight, ongoing, people)
    sentence = captioner.speak(clearest.weighed, limits if ongoing is None else dict.fromkeys(limits, 0.0))
    text = location_phrase.tell(sentence.text, clearest.region, manifest.language)
    borne_out = (
        Hazard(term, crop.weighed.evidence[term])
        for crop in sight.crops
        for term, over in crop.excess(limits).items()
        if over >= 0
    )
    return replace(sentence, text=text, hazards=_surest((*captioner.hazards(sight.weighed), *borne_out)))


def _settled(captioner: Captioner, sight: Sight, ongoing: Set[str] | None, people: int) -> Sentence:
    """Say what the frame shows, in a sentence that contradicts neither the dangers nor the people counted."""
    manifest = captioner.manifest
    sentence = captioner.speak(sight.weighed, None if ongoing is None else dict.fromkeys(ongoing, 0.0))
    if manifest.language != wording.LANGUAGE:
        return sentence
    evidence = sight.weighed.evidence
    dangers = {term for term, limit in manifest.evidence.items() if evidence[term] >= limit}
    believed = dangers if ongoing is None else ongoing
    text = wording.settle(sentence.text, sight.detections, believed, manifest.hazards, people)
    return sentence if text == sentence.text else replace(sentence, text=text, words=tuple(text.split()))


def _most(crop: Crop, limits: Mapping[str, float]) -> float:
    return max(crop.excess(limits).values())


def _box(detections: tuple[Detection, ...], term: str) -> Region | None:
    """Return the least square around the surest box of a danger that the detector knows; None where it found none."""
    surest = max((found for found in detections if found.name == term), key=lambda found: found.score, default=None)
    if surest is None:
        return None
    return crops.around(surest, 0.0, 0.0)


def _surest(found: tuple[Hazard, ...]) -> tuple[Hazard, ...]:
    """Keep each danger at its most probable, the most probable first."""
    best: dict[str, Hazard] = {}
    for hazard in sorted(found, key=lambda hazard: (-hazard.probability, hazard.term)):
        best.setdefault(hazard.term, hazard)
    return tuple(best.values())

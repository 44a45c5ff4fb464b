"""The captioner: a picture in, a sentence with its confidence out.

Dimensions: H, W the encoder's picture; N cells; D, K, V, S depths of cells, keys, values and state; B beam width.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from contract import bundle, phrases, sensitive_words, vocabulary
from contract.errors import Refused
from contract.phrases import Phrase
from edge.infer import beam, detection, hazards, image, rerank, runtime
from edge.infer.beam import Silence
from edge.infer.detection import Detection
from edge.infer.hazards import Hazard
from edge.infer.phrase_prior import Costs, Expectation, Phrases
from edge.infer.things import Doubt, Things

Floats = NDArray[np.float32]

_NO_WORDS: Final = np.empty(0, np.int32)

UNSURE: Final = 0.3
"""Confidence below which a sentence counts as put together from expected phrases alone: 4 % of Flickr8k's, most of
those of surveillance pictures, where the expected phrases are of another kind of picture."""

WEAKER: Final = 1 / 3
"""By what the pull of the expected phrases is multiplied for the second search of such a picture."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the encoder saw, for the captioner and the detector to share."""

    c3: Floats
    """Stride 8: [1, H/8, W/8, A]."""
    c4: Floats
    """Stride 16: [1, H/16, W/16, B]."""
    cells: Floats
    """The picture's cells: [1, N, D]."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A picture before a word is said of it."""

    cells: Floats
    """What the encoder saw of it: [1, N, D]."""
    evidence: Mapping[str, float]
    """Probability that the picture shows each danger, 0 to 1; empty where the bundle weighs none."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What the captioner says about one picture."""

    text: str
    """Its words joined as its language joins them."""
    words: tuple[str, ...]
    """The words of the best hypothesis."""
    tokens: tuple[int, ...]
    """Their ids, with END where the sentence came to its end."""
    confidence: float
    """Geometric mean of the tokens' probabilities, 0 to 1."""
    hazards: tuple[Hazard, ...]
    """Dangers by the model's evidence, or else by the probability mass of the beam's sentences that name them."""
    hypotheses: tuple[beam.Hypothesis, ...]
    """The whole final beam, the sentence that is said first."""


class Captioner:
    """The models of one bundle, loaded and ready."""

    def __init__(
        self,
        folder: Path,
        contents: bundle.Contents,
        *,
        threads: int,
        beam_width: int | None,
        acceleration: runtime.Acceleration | None = None,
    ) -> None:
        """Load the models of a checked bundle; `open` does both. `folder` is where it was read from, for messages."""
        self._acceleration = acceleration
        self.manifest = manifest = contents.manifest
        self._data = contents.data
        self._folder = folder
        self._threads = threads
        self.vocabulary = vocabulary.parse(contents.data["vocabulary"], self._path("vocabulary"))
        self._encoder = self._load("encoder")
        self._init = self._load("decoder_init")
        self._step = self._load("decoder_step")
        self._detector = self._load("detector") if "detector" in manifest.files else None
        self._classifier = self._load("hazard_classifier") if "hazard_classifier" in manifest.files else None
        self._rows = self._step.inputs["tokens"].shape[0]
        self._log_probs = np.empty(self._step.outputs["log_probs"].shape, np.float32)
        self._plan = self._make_plan(beam_width)
        self._never = Silence(sensitive_words.runs(self.vocabulary.ids))
        self._check_evidence()
        self._phrases = self._load_phrases()
        self._things = self._make_things()

    @classmethod
    def open(
        cls,
        folder: Path,
        threads: int = 1,
        beam_width: int | None = None,
        acceleration: runtime.Acceleration | None = None,
    ) -> Self:
        """Check a bundle and load it to run on this many threads.

        `beam_width` is the manifest's unless given, and at most the decoder's batch. Raises `contract.errors.Refused`
        for a broken bundle, `runtime.NotAModel` or `runtime.NoRuntime`.
        """
        contents = bundle.read(folder)
        return cls(folder, contents, threads=threads, beam_width=beam_width, acceleration=acceleration)

    @property
    def accelerated(self) -> tuple[str, ...]:
        """Return the roles of the models that a delegate runs."""
        models = {
            "encoder": self._encoder,
            "decoder_init": self._init,
            "decoder_step": self._step,
            "detector": self._detector,
            "hazard_classifier": self._classifier,
        }
        return tuple(role for role, model in models.items() if model is not None and model.accelerated)

    @property
    def invoke_seconds(self) -> float:
        """Time spent inside the interpreters since the bundle was opened."""
        models = (self._encoder, self._init, self._step, self._detector, self._classifier)
        return math.fsum(model.invoke_seconds for model in models if model is not None)

    def encode(self, rgb: image.Picture) -> Features:
        """Look at an RGB picture of any size."""
        size = self.manifest.input
        seen = self._encoder.run(image=image.fit(rgb, size.height, size.width)[np.newaxis])
        return Features(seen["c3"], seen["c4"], seen["cells"])

    def caption(self, features: Features) -> Sentence:
        """Write the sentence of a picture."""
        return self.speak(self.weigh(features))

    def weigh(self, features: Features) -> Weighed:
        """Weigh which dangers a picture shows; costs nearly nothing."""
        terms = self.manifest.evidence
        if not terms:
            return Weighed(features.cells, {})
        found = (self._classifier or self._init).run(cells=features.cells)
        return Weighed(features.cells, dict(zip(terms, found["evidence"][0].tolist(), strict=True)))

    def speak(self, weighed: Weighed, limits: Mapping[str, float] | None = None) -> Sentence:
        """Write the sentence of a picture that was weighed.

        It names no danger whose evidence stays below its limit: the manifest's, or one of `limits`, outside of which
        every danger goes unsaid.
        """
        hypotheses = self._search(weighed, self.manifest.evidence if limits is None else limits)
        best = hypotheses[0]
        spoken = [self.vocabulary.decode(hypothesis.tokens) for hypothesis in hypotheses]
        return Sentence(
            text=vocabulary.text(spoken[0], self.manifest.language),
            words=tuple(spoken[0]),
            tokens=best.tokens,
            confidence=best.confidence,
            hazards=self.hazards(weighed) if weighed.evidence else self._named(hypotheses, spoken),
            hypotheses=tuple(hypotheses),
        )

    def hazards(self, weighed: Weighed) -> tuple[Hazard, ...]:
        """Return the dangers that the evidence speaks for, most probable first."""
        return hazards.read(weighed.evidence)

    def search(self, features: Features) -> list[beam.Hypothesis]:
        """Return the final beam of a picture, the sentence that is said first."""
        return self._search(self.weigh(features), self.manifest.evidence)

    def start(self, weighed: Weighed) -> Mapping[str, Floats]:
        """Return what `decoder_init` makes of a picture: where the decoder starts from, and what is expected of it."""
        return self._init.run(cells=weighed.cells)

    def detect(self, features: Features) -> list[Detection]:
        """Return the boxes of a picture, best first; none where the bundle has no detector."""
        spec = self.manifest.detection
        if self._detector is None or spec is None:
            return []
        known = {"c3": features.c3, "c4": features.c4, "cells": features.cells}
        found = self._detector.run(**{name: known[name] for name in self._detector.inputs})
        return detection.read(
            found["boxes"][0],
            found["scores"][0],
            spec.classes,
            score_threshold=spec.score_threshold,
            iou_threshold=spec.iou_threshold,
        )

    def _search(self, weighed: Weighed, limits: Mapping[str, float]) -> list[beam.Hypothesis]:
        """Search from what `decoder_init` makes of the picture.

        What cannot be said: a danger that its evidence does not bear out, and what someone's race or origin is.
        """
        start = self.start(weighed)
        self._step.set("keys", start["keys"])
        self._step.set("values", start["values"])
        forbidden = hazards.unspeakable(weighed.evidence, limits, self.manifest.hazards, self.vocabulary.ids)
        doubt = self._doubt(weighed, start, limits)
        silence = self._never.joined(forbidden, _NO_WORDS if doubt is None else doubt.forbidden)
        pull = self.manifest.decoding.pull
        first = self._order(start, silence, self._expectation(start, pull, forbidden, silence, doubt))
        if self._phrases is None or not pull or first[0].confidence >= UNSURE:
            return first
        again = self._order(start, silence, self._expectation(start, pull * WEAKER, forbidden, silence, doubt))
        return max(first, again, key=lambda found: found[0].confidence)

    def _order(
        self, start: Mapping[str, Floats], silence: Silence, expectation: Expectation | None
    ) -> list[beam.Hypothesis]:
        """Search once; return the beam, the sentence to say first."""
        found = beam.search(self._decode, start["state"], self._plan, silence, expectation)
        return rerank.order(found, self.manifest.decoding, expectation)

    def _doubt(self, weighed: Weighed, start: Mapping[str, Floats], limits: Mapping[str, float]) -> Doubt | None:
        """Return which things the picture bears out too little to name; none where it speaks of a danger."""
        if self._things is None or any(p >= limits.get(term, math.inf) for term, p in weighed.evidence.items()):
            return None
        return self._things.doubt(start["expected"][0])

    def _expectation(
        self,
        start: Mapping[str, Floats],
        pull: float,
        forbidden: list[Phrase],
        silence: Silence,
        doubt: Doubt | None,
    ) -> Expectation | None:
        if self._phrases is None:
            return None
        known = self.manifest.things or None
        costs = Costs(known.search * doubt.words, known.choice * doubt.words) if known and doubt else None
        return self._phrases.of(start["expected"][0], pull, forbidden, silence.words, costs)

    def _make_things(self) -> Things | None:
        known = self.manifest.things or None
        if known is None or self._phrases is None:
            return None
        return Things(known, self.vocabulary.ids, self._phrases.single())

    def _named(self, hypotheses: list[beam.Hypothesis], spoken: list[list[str]]) -> tuple[Hazard, ...]:
        """Return the dangers by the mass of the beam, where nothing else weighs them."""
        return hazards.weigh(spoken, [hypothesis.total for hypothesis in hypotheses], self.manifest.hazards)

    def _decode(self, tokens: NDArray[np.int32], state: Floats) -> tuple[Floats, Floats, Floats]:
        """One step for up to B rows; rows of the fixed batch beyond them are computed and not looked at."""
        self._step.set("tokens", tokens)
        self._step.set("state", state)
        self._step.invoke()
        self._step.copy("log_probs", self._log_probs)
        return self._log_probs[: len(tokens)], self._step.get("next_state"), self._step.get("attention")

    def _load(self, role: bundle.Role) -> runtime.Model:
        wanted = self._acceleration
        acceleration = wanted if wanted is not None and role in wanted.roles else None
        return runtime.Model(self._path(role), self._data[role], self._threads, acceleration)

    def _path(self, role: bundle.Role) -> Path:
        return self._folder / self.manifest.files[role].name

    def _check_evidence(self) -> None:
        limits = self.manifest.evidence
        role = "decoder_init" if self._classifier is None else "hazard_classifier"
        model = self._classifier or self._init
        given = model.outputs["evidence"].shape[-1] if "evidence" in model.outputs else 0
        if limits and given != len(limits):
            raise Refused("schema", f"{self._folder}: {role} weighs {given} dangers, the manifest {len(limits)}")

    def _load_phrases(self) -> Phrases | None:
        data = self._data.get("phrases")
        given = self._init.outputs["expected"].shape[-1] if "expected" in self._init.outputs else 0
        known = phrases.parse(data, self._path("phrases"), self.vocabulary) if data is not None else {}
        if given != len(known):
            raise Refused(
                "schema", f"{self._folder}: decoder_init expects {given} phrases, the bundle has {len(known)}"
            )
        return Phrases(known) if known else None

    def _make_plan(self, beam_width: int | None) -> beam.Plan:
        decoding = self.manifest.decoding
        width = beam_width or decoding.beam_width
        if not 1 <= width <= self._rows:
            raise Refused("schema", f"{self._folder}: beam width {width}; this decoder takes 1 to {self._rows}")
        words, known = self._step.outputs["log_probs"].shape[-1], len(self.vocabulary)
        if words != known:
            raise Refused("schema", f"{self._folder}: the decoder has {words} words, the vocabulary {known}")
        return beam.Plan(width, decoding.max_tokens, decoding.length_penalty, decoding.block_trigrams)

"""How near a bundle is to the float32 models it was made from, seen through the inference that ships."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contract import bundle
from converter import terminal
from converter.config import Comparison
from converter.evaluation import caption_metrics, detection_metrics, sampling
from converter.evaluation.coco import Boxed, Captioned
from edge.infer import image, runtime
from edge.infer.captioner import Captioner, Features

Floats = NDArray[np.float32]
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Trial:
    """On what the two are compared."""

    pictures: Sequence[Path]
    """Pictures to look at."""
    captioned: Sequence[Captioned] = ()
    """The same pictures with what people wrote of them, if anybody did."""
    boxed: Boxed | None = None
    """Pictures with boxes, for the detector."""

    @classmethod
    def draw(
        cls, comparison: Comparison, captioned: Sequence[Captioned], boxed: Boxed | None, otherwise: Sequence[Path]
    ) -> Self:
        """Draw from the captioned pictures, or from the others where there are none."""
        chosen = sampling.draw(captioned, comparison.pictures, comparison.seed)
        if not chosen:
            return cls(sampling.draw(otherwise, comparison.pictures, comparison.seed), (), boxed)
        return cls([picture.path for picture in chosen], chosen, boxed)


@dataclass(frozen=True, slots=True)
class Report:
    """What the comparison found."""

    float32: Figures
    """Scores of the float32 models: as `caption_scores.Scores`, and `person_ap50` for each class."""
    int8: Figures
    """The same of the bundle."""
    agreement: Figures
    """`pictures`, `equal_tokens`, `equal_captions`, and `cosine_<tensor>` for each tensor between the models."""

    @property
    def metrics(self) -> dict[str, Figures]:
        """As the manifest carries them."""
        found = {"float": self.float32, "int8": self.int8, "parity": self.agreement}
        return {kind: figures for kind, figures in found.items() if figures}


class Stages:
    """A bundle opened so that the tensors between its models can be seen."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Open a bundle; raises what `Captioner.open` raises."""
        self.captioner = Captioner.open(folder, threads=threads)
        files = self.captioner.manifest.files
        roles: tuple[bundle.Role, ...] = ("decoder_init", "detector")
        self._models = [runtime.load(folder / files[role].name, threads) for role in roles if role in files]

    def tensors(self, features: Features) -> dict[str, Floats]:
        """Return every tensor between the models, by name, for one picture."""
        seen = {"c3": features.c3, "c4": features.c4, "cells": features.cells}
        made = dict(seen)
        for model in self._models:
            made |= model.run(**{name: seen[name] for name in model.inputs})
        return made


def measure(reference: Path, candidate: Path, trial: Trial, *, threads: int = 1) -> Report:
    """Compare the bundle `candidate` with the bundle `reference` of float32 models.

    Raises `edge.infer.image.Unreadable` for a broken picture.
    """
    agreement, said = _look(Stages(reference, threads), Stages(candidate, threads), trial.pictures)
    language = bundle.load(candidate).language
    figures = [
        (caption_metrics.score(sentences, trial.captioned, language) if trial.captioned else {})
        | _boxes(folder, trial.boxed, threads)
        for folder, sentences in zip((reference, candidate), said, strict=True)
    ]
    return Report(float32=figures[0], int8=figures[1], agreement=agreement)


def _look(reference: Stages, candidate: Stages, paths: Sequence[Path]) -> tuple[Figures, tuple[list[str], list[str]]]:
    """Show both every picture: how far they agree, and what each says."""
    cosines: dict[str, list[float]] = defaultdict(list)
    said: tuple[list[str], list[str]] = ([], [])
    tokens: list[tuple[Sequence[int], Sequence[int]]] = []
    for path in terminal.track(paths, "comparing"):
        rgb = image.read(path)
        features = [stages.captioner.encode(rgb) for stages in (reference, candidate)]
        for name, value in cosine_by_name(reference.tensors(features[0]), candidate.tensors(features[1])).items():
            cosines[name].append(value)
        sentences = [s.captioner.caption(seen) for s, seen in zip((reference, candidate), features, strict=True)]
        tokens.append((sentences[0].tokens, sentences[1].tokens))
        for texts, sentence in zip(said, sentences, strict=True):
            texts.append(sentence.text)
    agreement = {
        "pictures": len(paths),
        "equal_tokens": equal_tokens(tokens),
        "equal_captions": sum(ours == theirs for ours, theirs in tokens) / len(tokens),
        **{f"cosine_{name}": float(np.mean(values)) for name, values in cosines.items()},
    }
    return agreement, said


def _boxes(folder: Path, boxed: Boxed | None, threads: int) -> Figures:
    if boxed is None:
        return {}
    scores = detection_metrics.evaluate(detection_metrics.open_for_precision(folder, threads), boxed)
    return {f"{name}_{figure}": value for name, figures in scores.items() for figure, value in figures.items()}


def cosine_by_name(ours: Mapping[str, Floats], theirs: Mapping[str, Floats]) -> dict[str, float]:
    """Return the cosine between tensors of one name, each taken as one long vector; 1 where both are zero."""
    return {name: _cosine(ours[name].ravel(), theirs[name].ravel()) for name in ours}


def _cosine(ours: Floats, theirs: Floats) -> float:
    norms = float(np.linalg.norm(ours)) * float(np.linalg.norm(theirs))
    if norms == 0:
        return float(np.array_equal(ours, theirs))
    return float(np.dot(ours, theirs)) / norms


def equal_tokens(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> float:
    """Return the share of places at which both sentences have the same token, out of the longer one's places."""
    equal = sum(a == b for ours, theirs in pairs for a, b in zip(ours, theirs, strict=False))
    places = sum(max(len(ours), len(theirs)) for ours, theirs in pairs)
    return equal / places if places else 1.0

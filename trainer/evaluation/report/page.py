"""Renders reports of runs as one HTML file without network or scripts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2

from trainer.evaluation.report import curves, images
from trainer.evaluation.report.caption_examples import HEADINGS, Language
from trainer.evaluation.report.predictions import CaptionSample, RunReport

CIDER: Final = "cider"
"""The figure by which runs are ranked."""

LOWER_IS_BETTER: Final = frozenset({"invented"})
"""Figures of which the lowest is the best."""

COUNTS: Final = frozenset({"images"})
"""Figures that are counts, not scores."""


@dataclass(frozen=True, slots=True)
class SharedSample:
    """One image with the caption of every run."""

    sample: CaptionSample
    said: tuple[tuple[int, str, CaptionSample], ...]
    """Number and name of each run, and its sentence."""


def write(path: Path, title: str, runs: Sequence[RunReport], *, language: Language = "en") -> None:
    """Write the page, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_text(render(title, runs, language=language), encoding="utf-8")
    scratch.replace(path)


def render(title: str, runs: Sequence[RunReport], *, language: Language = "en") -> str:
    """Return the page's text."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    shown = {sample.path: number for number, sample in enumerate(_unique(runs))}
    page: str = environment.get_template("page.html.j2").render(
        title=title,
        language=language,
        words=HEADINGS[language],
        runs=runs,
        charts=curves.charts(runs),
        palette=curves.PALETTE,
        columns=columns(runs),
        best=best(runs),
        leader=leader(runs),
        classes=[(run, name, figures) for run in runs for name, figures in run.boxes.items()],
        together=together(runs),
        shown=shown,
        sources={number: images.thumbnail(where) for where, number in shown.items()},
        inline=images.inline,
    )
    return page


def columns(runs: Sequence[RunReport]) -> list[str]:
    """Return every figure that any run has, in the order in which they are measured."""
    return list(dict.fromkeys(name for run in runs for figures in run.captions.values() for name in figures))


def best(runs: Sequence[RunReport]) -> dict[tuple[str, str], float]:
    """Return the best value of each figure of each set, by which it is marked where runs differ."""
    found: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        for name, figures in run.captions.items():
            for column, value in figures.items():
                if column not in COUNTS:
                    found.setdefault((name, column), []).append(value)
    return {
        key: min(values) if key[1] in LOWER_IS_BETTER else max(values)
        for key, values in found.items()
        if max(values) > min(values)
    }


def leader(runs: Sequence[RunReport]) -> tuple[RunReport, float] | None:
    """Return the run with the highest CIDEr, of any set, and that figure."""
    ranked = [(run, figures[CIDER]) for run in runs for figures in run.captions.values() if CIDER in figures]
    return max(ranked, key=lambda pair: pair[1]) if ranked else None


def together(runs: Sequence[RunReport]) -> list[SharedSample]:
    """Return the sample images that several runs captioned."""
    said: dict[Path, list[tuple[int, str, CaptionSample]]] = {}
    for number, run in enumerate(runs):
        for sample in run.samples:
            said.setdefault(sample.path, []).append((number, run.name, sample))
    return [SharedSample(group[0][2], tuple(group)) for group in said.values() if len(group) > 1]


def _unique(runs: Sequence[RunReport]) -> Iterable[Any]:
    samples = [sample for run in runs for sample in (*run.samples, *run.worst)]
    return {sample.path: sample for sample in samples}.values()

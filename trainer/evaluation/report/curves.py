"""Draws figures over epochs as SVG that takes its colours from the page around it, light or dark."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trainer.evaluation.report.predictions import RunReport

PALETTE: Final = 8
"""Colours that the page defines as `--series-0` to `--series-7`; more lines repeat them with other dashes."""

DASHES: Final = ("solid", "dashdot", "dotted")
TRAIN: Final = (0, (1.2, 1.4))
"""Line style of the training loss beside the validation loss."""

INK: Final = "#f0e200"
LINE: Final = "#f0e201"
"""Placeholders for the page's colours until the SVG is done."""


@dataclass(frozen=True, slots=True)
class Line:
    """One run's values over its epochs."""

    series: int
    """Number of the run, which chooses colour and dashes."""
    epochs: tuple[int, ...]
    values: tuple[float | None, ...]
    training: bool = False
    """Whether this is the training loss."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure of a stage, every run that has it."""

    figure: str
    """As the log names it, without `val_`."""
    svg: str


def charts(runs: Sequence[RunReport]) -> dict[str, list[Chart]]:
    """Draw each stage's losses, then each of its other figures."""
    stages = dict.fromkeys(log.stage for run in runs for log in run.logs)
    return {
        stage: [Chart(figure, svg(lines, f"{stage}-{figure}")) for figure, lines in _of(runs, stage)]
        for stage in stages
    }


def _of(runs: Sequence[RunReport], stage: str) -> list[tuple[str, list[Line]]]:
    """Return the lines of each figure of a stage, losses first; a figure that is 0 throughout is left out."""
    figures: dict[str, list[Line]] = {"loss": []}
    for number, run in enumerate(runs):
        for log in run.logs:
            for column, values in log.columns.items() if log.stage == stage else ():
                line = Line(number, log.epochs, values, training=column == "loss")
                figures.setdefault(column.removeprefix("val_"), []).append(line)
    return [(name, lines) for name, lines in figures.items() if any(any(line.values) for line in lines)]


def svg(lines: Sequence[Line], salt: str) -> str:
    """Draw one chart; `salt` keeps the ids of several in one page apart."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "font.size": 9}):
        figure = Figure(figsize=(4.4, 2.5), layout="constrained")
        axes = figure.add_subplot()
        for line in lines:
            dashes = TRAIN if line.training else DASHES[line.series // PALETTE % len(DASHES)]
            axes.plot(
                line.epochs,
                [float("nan") if value is None else value for value in line.values],
                color=_series(line.series),
                linestyle=dashes,
                linewidth=1.8,
                marker="o" if len(line.epochs) == 1 else None,
                solid_capstyle="round",
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color=LINE, linewidth=0.8)
        axes.tick_params(color=LINE, labelcolor=INK, length=0)
        axes.set_facecolor("none")
        for side in axes.spines.values():
            side.set_visible(False)
        out = io.StringIO()
        FigureCanvasSVG(figure)
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _themed(out.getvalue())


def _series(number: int) -> str:
    return f"#f0e1{number % PALETTE:02x}"


def _themed(text: str) -> str:
    for number in range(PALETTE):
        text = text.replace(_series(number), f"var(--series-{number})")
    text = text.replace(INK, "var(--faint)").replace(LINE, "var(--line)")
    return text[text.index("<svg") :]

"""Pictures of what was measured on devices, drawn by Matplotlib."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt  # after the choice of what draws without a screen


@contextmanager
def _style() -> Iterator[None]:
    """Text stays text, and the same figures give the same file."""
    with mpl.rc_context({"svg.hashsalt": "wordcam", "svg.fonttype": "none", "font.size": 9.0}):
        yield


def memory(samples: Sequence[tuple[int, float]], to: Path) -> None:
    """Draw resident memory, in MiB, over the frames looked at."""
    with _style():
        figure, axes = plt.subplots(figsize=(7, 3))
        axes.plot([frames for frames, _ in samples], [mib for _, mib in samples], linewidth=1)
        axes.set(
            xlabel="frames looked at",
            ylabel="resident memory of look (MiB)",
            ylim=(0, 1.15 * max(mib for _, mib in samples)),
        )
        axes.grid(alpha=0.3)
        _save(figure, to)


def stages(bars: Mapping[str, Mapping[str, float]], to: Path) -> None:
    """Draw one bar for each device, of the milliseconds that each stage of a captioned frame takes, in order."""
    names = list(dict.fromkeys(name for bar in bars.values() for name in bar))
    with _style():
        figure, axes = plt.subplots(figsize=(8, 1.6 + 0.5 * len(bars)))
        left = dict.fromkeys(bars, 0.0)
        for number, name in enumerate(names):
            widths = [bar.get(name, 0.0) for bar in bars.values()]
            axes.barh(list(bars), widths, 0.6, list(left.values()), label=name, color=f"C{number % 10}")
            left = {label: before + width for (label, before), width in zip(left.items(), widths, strict=True)}
        axes.invert_yaxis()
        axes.set(xlabel="milliseconds a captioned frame (median of each stage)")
        axes.legend(ncols=len(names), fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
        _save(figure, to)


def _save(figure: Any, to: Path) -> None:
    dated: dict[str, Any] = {"metadata": {"Date": None}} if to.suffix == ".svg" else {}
    figure.savefig(to, bbox_inches="tight", **dated)
    plt.close(figure)

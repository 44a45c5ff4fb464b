"""Whether a bundle keeps its limits, and by how much."""

from dataclasses import dataclass

from converter.config import Limits
from converter.evaluation.parity import Figures, Report


@dataclass(frozen=True, slots=True)
class Check:
    """One figure against its limit."""

    name: str
    """What is measured."""
    found: float
    """What was measured."""
    limit: float
    """What it must keep."""
    at_least: bool
    """Whether `limit` is a floor; otherwise it is a ceiling."""

    @property
    def kept(self) -> bool:
        """Whether the figure keeps its limit."""
        return self.found >= self.limit if self.at_least else self.found <= self.limit


def judge(report: Report, size_bytes: int, limits: Limits) -> list[Check]:
    """Hold everything that was measured against the limits; what was not measured is not judged."""
    checks = [
        Check(f"cosine of {name.removeprefix('cosine_')}", value, limits.cosine, at_least=True)
        for name, value in report.agreement.items()
        if name.startswith("cosine_")
    ]
    checks.append(Check("equal tokens", report.agreement["equal_tokens"], limits.equal_tokens, at_least=True))
    checks.append(Check("equal captions", report.agreement["equal_captions"], limits.equal_captions, at_least=True))
    for figure, limit in _drops(report.float32, limits).items():
        drop = _drop(report.float32[figure], report.int8[figure])
        checks.append(Check(f"loss of {figure}", drop, limit, at_least=False))
    checks.append(Check("megabytes", size_bytes / 1e6, limits.megabytes, at_least=False))
    return checks


def _drops(figures: Figures, limits: Limits) -> dict[str, float]:
    """Limit of the loss of each figure that has one."""
    named = {"bleu_4": limits.bleu_4_drop, "cider": limits.cider_drop}
    return {
        figure: limits.ap50_drop if figure.endswith("_ap50") else named[figure]
        for figure in figures
        if figure in named or figure.endswith("_ap50")
    }


def _drop(before: float, after: float) -> float:
    """Share of `before` that is lost, 0 where nothing is."""
    return max(0.0, (before - after) / before) if before > 0 else 0.0

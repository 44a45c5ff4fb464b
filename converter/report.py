"""What a person at a terminal sees."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contract import bundle
from converter.card import sign
from converter.evaluation.acceptance import Check
from converter.evaluation.parity import Figures, Report
from converter.tflite.inspect import Anatomy, Model

Models = Mapping[bundle.Role, Model]


def figures(title: str, found: Mapping[str, float]) -> Table:
    """Show figures of one bundle."""
    table = _table(title, "figure", "value")
    for name, value in found.items():
        table.add_row(name, _number(name, value))
    return table


def boxes(found: Mapping[str, Mapping[str, float]]) -> Table:
    """Show average precision by class."""
    table = _table("Boxes", "class", "AP", "AP50", "images")
    for name, scores in found.items():
        table.add_row(name, *(_number(figure, scores[figure]) for figure in ("ap", "ap50", "images")))
    return table


def verdict(report: Report, checks: Sequence[Check]) -> RenderableType:
    """Show how float32 and int8 compare, and which limits are kept."""
    limits = _table("Limits", "figure", "measured", "limit", "")
    for check in checks:
        mark = Text("kept", "green") if check.kept else Text("missed", "bold red")
        limits.add_row(check.name, f"{check.found:.4f}", f"{sign(check)} {check.limit:g}", mark)
    return Group(_side_by_side(report.float32, report.int8), limits) if report.float32 else limits


def _side_by_side(float32: Figures, int8: Figures) -> Table:
    table = _table("Figures", "figure", "float32", "int8")
    for name, value in float32.items():
        table.add_row(name, _number(name, value), _number(name, int8[name]))
    return table


def anatomy(found: Anatomy) -> RenderableType:
    """Show what is inside a bundle."""
    manifest = found.manifest
    title = f"{manifest.model}, {manifest.language}, {manifest.created_at:%Y-%m-%d}"
    files = _table(title, "role", "file", "KiB", "kind")
    for role, file in manifest.files.items():
        files.add_row(role, file.name, f"{file.bytes / 1024:.0f}", file.quantization or "text")
    hazards = _table("Dangers", "term", "words")
    for term, words in manifest.hazards.items():
        hazards.add_row(term, ", ".join(words))
    parts: list[RenderableType] = [files, _tensors(found.models), _operators(found.models), hazards]
    parts += [figures(f"Figures, {kind}", values) for kind, values in manifest.metrics.items()]
    return Group(*parts)


def _tensors(models: Models) -> Table:
    table = _table("Tensors", "model", "way", "name", "type", "shape")
    for role, model in models.items():
        for way, ports in (("in", model.inputs), ("out", model.outputs)):
            for port in ports:
                table.add_row(role, way, port.name, port.dtype, " x ".join(map(str, port.shape)))
    return table


def _operators(models: Models) -> Table:
    table = _table("Inside", "model", "constants", "operators")
    for role, model in models.items():
        weights = ", ".join(f"{size / 1024:.0f} KiB {kind}" for kind, size in model.weights.items() if size >= 512)
        table.add_row(role, weights or "none", ", ".join(f"{name} {count}" for name, count in model.operators.items()))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        right = column in {"value", "float32", "int8", "measured", "KiB", "AP", "AP50", "images"}
        table.add_column(column, justify="right" if right else "left")
    return table


def _number(name: str, value: float) -> str:
    return f"{value:.0f}" if name.endswith(("images", "pictures")) else f"{value:.4f}"

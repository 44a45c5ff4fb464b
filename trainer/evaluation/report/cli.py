"""The verbs `compare` and `report` of `wordcam-train`."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from foundation.errors import Misconfigured
from trainer.recipe import sweep
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir

OK: Final = 0
FIX_CONFIG: Final = 78

REPORT: Final = "report.html"


def add(verbs: Any, add_report: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the verbs to the command line; `add_report` gives `report` what verbs about one recipe have."""
    text = "train variants of a recipe, one after another, and report them side by side"
    comparing = verbs.add_parser("compare", help=text, description=text)
    comparing.set_defaults(alone=_compare)
    comparing.add_argument("sweep", type=Path, help="YAML file, see config/compare-seed.yaml")
    comparing.add_argument("--base", type=Path, help="recipe to begin from, instead of the sweep's own")
    text = "a field for every variant, such as training.epochs=1; may be repeated"
    comparing.add_argument("--set", metavar="FIELD=VALUE", action="append", default=[], help=text)
    comparing.add_argument("--runs", type=Path, default=Path("runs"), help="folder of all runs (default: %(default)s)")
    comparing.add_argument("--distribute", choices=("none", "mirrored", "workers"), help="as for train")
    comparing.add_argument("--no-train", action="store_true", help="report what is trained already")
    comparing.add_argument("--check", action="store_true", help="read the sweep, list its variants and stop")
    comparing.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    text = "show one run's curves, captions and failures in one HTML file"
    reporting = verbs.add_parser("report", help=text, description=text)
    add_report(reporting)
    reporting.set_defaults(verb=_report)
    for each in (comparing, reporting):
        each.add_argument("--out", type=Path, help=f"file to write (default: {REPORT} in the folder of the run)")
        each.add_argument("--language", choices=("en", "ko"), default="en", help="of the headings")
        each.add_argument("--samples", type=int, default=9, metavar="N", help="images drawn (default: %(default)s)")
        each.add_argument("--worst", type=int, default=9, metavar="N", help="failures shown (default: %(default)s)")


def _report(arguments: argparse.Namespace, recipe: Recipe, run: RunDir) -> int:
    from trainer.data import prepare  # noqa: PLC0415 - TensorFlow takes seconds to import
    from trainer.evaluation.report import page, predictions  # noqa: PLC0415

    seen = predictions.observe(recipe, prepare.gather(recipe), run, samples=arguments.samples, worst=arguments.worst)
    out: Path = arguments.out or run.folder / REPORT
    page.write(out, recipe.name, [seen], language=arguments.language)
    print(out)
    return OK


def _compare(arguments: argparse.Namespace) -> int:
    plan = sweep.load(arguments.sweep, arguments.base, arguments.set)
    if arguments.check:
        for trial in plan.trials:
            print(trial.name, f"(left out: {trial.missing} is not there)" if trial.missing else "")
        return OK
    from trainer.evaluation import compare  # noqa: PLC0415 - TensorFlow takes seconds to import
    from trainer.evaluation.report import page  # noqa: PLC0415

    options = ["--distribute", arguments.distribute] if arguments.distribute else []
    folder: Path = arguments.runs / plan.name
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.no_train:
        outcomes = compare.found(plan, folder)
    else:
        outcomes = list(compare.run(plan, folder, options, lambda line: print(line, file=sys.stderr)))
    runs = [_observe(outcome, arguments) for outcome in outcomes]
    out: Path = arguments.out or folder / REPORT
    page.write(out, plan.name, runs, language=arguments.language)
    if arguments.json:
        print(json.dumps(document(plan.name, runs, outcomes, out)))
    else:
        _show(runs)
        for run in runs:
            if run.reason:
                print(f"{run.name}: {run.status}: {run.reason}")
        print(out)
    return FIX_CONFIG if any(run.status == "failed" for run in runs) else OK


def _observe(outcome: Any, arguments: argparse.Namespace) -> Any:
    from trainer.data import prepare  # noqa: PLC0415
    from trainer.evaluation.report import predictions  # noqa: PLC0415

    recipe, name = outcome.trial.recipe, outcome.trial.name
    if outcome.status != "trained":
        return predictions.RunReport(name, outcome.status, outcome.reason)
    try:
        return predictions.observe(
            recipe,
            prepare.gather(recipe),
            outcome.run,
            samples=arguments.samples,
            worst=arguments.worst,
            changed=outcome.trial.changed,
        )
    except Misconfigured as error:
        return predictions.RunReport(name, "failed", str(error))


def document(name: str, runs: Sequence[Any], outcomes: Sequence[Any], report: Path) -> dict[str, Any]:
    """Return the results for scripts."""
    variants = [
        {
            "name": run.name,
            "set": outcome.trial.changed,
            "status": run.status,
            "reason": run.reason,
            "run": str(outcome.run.folder),
            "captions": run.captions,
            "boxes": run.boxes,
            "best_epoch": run.best_epoch,
        }
        for run, outcome in zip(runs, outcomes, strict=True)
    ]
    return {"name": name, "variants": variants, "report": str(report)}


def _show(runs: Sequence[Any]) -> None:
    """Print the table with a line for each variant, or for each figure where the terminal is too narrow for that."""
    console, lines = Console(soft_wrap=True), grid(runs)
    tables = [table(lines), table(list(map(list, zip(*lines, strict=True))))]
    widths = [Measurement.get(console, console.options.update(max_width=10_000), each).maximum for each in tables]
    fitting = [each for each, width in zip(tables, widths, strict=True) if width <= console.width]
    console.print((fitting or tables)[0])


def grid(runs: Sequence[Any]) -> list[list[str]]:
    """Return the results as cells, a header first and a line for each run and set; the best of each figure is bold."""
    from trainer.evaluation.report import page  # noqa: PLC0415

    columns, best = page.columns(runs), page.best(runs)
    lines = [["variant", "set", *columns, "best epoch"]]
    for run in runs:
        for name, figures in run.captions.items():
            cells = [_cell(column, figures.get(column), best.get((name, column))) for column in columns]
            lines.append([escape(run.name), escape(name), *cells, str(run.best_epoch or "-")])
        if run.reason:
            lines.append([escape(run.name), f"[red]{run.status}[/]", *["-"] * (len(columns) + 1)])
    return lines


def table(lines: Sequence[Sequence[str]]) -> Table:
    """Lay out cells, the first line being the header and the first column names."""
    shown = Table()
    for number, name in enumerate(lines[0]):
        shown.add_column(name, justify="right" if number else "left", no_wrap=True)
    for line in lines[1:]:
        shown.add_row(*line)
    return shown


def _cell(column: str, value: float | None, best: float | None) -> str:
    if value is None:
        return "-"
    text = f"{value:.0f}" if column == "images" else f"{value:.3f}"
    return f"[bold green]{text}[/]" if value == best else text

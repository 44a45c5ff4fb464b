"""Prints counts and findings of `prepare`, as tables or as one JSON object."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from trainer.data import prepare
from trainer.data.prepare import Prepared
from trainer.data.quality.validation import CheckProgress


@contextlib.contextmanager
def progress_bar() -> Iterator[CheckProgress]:
    """Yield the progress that `prepare.examine` reports to; a bar shows it where stderr is a terminal."""
    columns = TextColumn("Looking at images"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console, silent = Console(stderr=True), not sys.stderr.isatty()
    with Progress(*columns, console=console, disable=silent, transient=True) as bar:
        task = bar.add_task("images", total=None)
        yield CheckProgress(lambda done: bar.update(task, completed=done.seen, total=done.total))


def show(prepared: Prepared, progress: CheckProgress, limit: int) -> None:
    """Print the counts and what was found, each kind with up to `limit` names."""
    console = Console(soft_wrap=True)
    console.print(_counts(prepared))
    console.print(f"looked at {progress.seen:,} images, opened {progress.opened:,}{_rate(progress)}")
    share = unknown_share(prepared)
    console.print(f"{share:.1%} of the words of val are not among the {len(prepared.vocabulary):,} of the vocabulary")
    if not prepared.findings:
        console.print("nothing is wrong with the data")
    for found in prepared.findings:
        style = "bold red" if found.done == "refused" else "bold"
        console.print(f"[{style}]{found.where}: {found.count:,} {found.kind.value} ({found.done})[/]")
        for example in found.examples[:limit]:
            console.print(f"  {escape(example)}", highlight=False)
        if found.count > limit:
            console.print(f"  ... and {found.count - limit:,} more")


def document(prepared: Prepared, progress: CheckProgress) -> dict[str, Any]:
    """Return the same as a JSON object; up to `issues.KEPT` examples of each kind."""
    return {
        "sets": [
            {"set": name, "split": split, "images": examples, "boxes" if name == "boxes" else "sentences": items}
            for name, split, examples, items in prepare.count(prepared)
        ],
        "vocabulary": {"words": len(prepared.vocabulary), "unknown_share": unknown_share(prepared)},
        "images": {"seen": progress.seen, "opened": progress.opened, "seconds": round(progress.seconds, 3)},
        "findings": [
            {
                "where": found.where,
                "kind": found.kind.name.lower(),
                "count": found.count,
                "done": found.done,
                "examples": found.examples,
            }
            for found in prepared.findings
        ],
    }


def unknown_share(prepared: Prepared) -> float:
    """Return the share of the words of val's sentences that the vocabulary does not hold; 0 without sentences."""
    words = unknown = 0
    for example in prepared.val:
        for sentence in example.sentences:
            words += len(sentence)
            unknown += sum(word not in prepared.vocabulary.ids for word in sentence)
    return unknown / words if words else 0.0


def _counts(prepared: Prepared) -> Table:
    table = Table("set", "split", "images", "sentences or boxes")
    for name, split, examples, items in prepare.count(prepared):
        table.add_row(name, split, f"{examples:,}", f"{items:,}")
    return table


def _rate(progress: CheckProgress) -> str:
    return (
        f" in {progress.seconds:.0f} s, {progress.opened / progress.seconds:,.0f} a second" if progress.opened else ""
    )

"""The tables that `wordcam-train hazards` ends with."""

from rich.table import Table

from trainer.hazards.stage import Report


def tables(report: Report) -> tuple[Table, ...]:
    """Show what was chosen for each danger, and what calm pictures of each source make of it."""
    return _dangers(report), _worst(report), _calm(report)


def _dangers(report: Report) -> Table:
    shown = Table(title=f"Right alarms, of {report.views:,} views", title_justify="left")
    for column in ("danger", "threshold", "knowing calm", "decided by", "source", "new place", "new source"):
        shown.add_column(column)
    for danger, choice in report.dangers.items():
        first = (danger, f"{choice.threshold:.2f}", f"{choice.floor:.2f}", choice.decided_by)
        for number, (source, share) in enumerate(choice.new_place.items()):
            row = first if number == 0 else ("",) * len(first)
            shown.add_row(*row, source, f"{share:.0%}", f"{choice.new_source[source]:.0%}")
    return shown


def _worst(report: Report) -> Table:
    shown = Table(
        title="The worst place of each danger, new source; roc.svg draws all thresholds", title_justify="left"
    )
    for column in ("danger", "place", "pictures", "right"):
        shown.add_column(column)
    for danger, one in report.worst.items():
        shown.add_row(danger, one.place, str(one.pictures), str(one.right))
    return shown


def _calm(report: Report) -> Table:
    shown = Table(title="Calm frames that raise any danger, at new places", title_justify="left")
    for column in ("source", "places", "share"):
        shown.add_column(column)
    for source, share in report.any_danger.items():
        shown.add_row(source, str(report.places.get(source, "")), f"{share:.1%}")
    return shown

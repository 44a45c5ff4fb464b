"""Statistics: captions and incidents over time, and bytes of text against bytes of video."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from litestar import Response, get
from litestar.params import FromQuery

from broker.config.section import SEVERITIES
from broker.incidents.presence import devices
from broker.notify.message.texts import byte_size
from broker.store import rollup, statistics
from broker.store.engine import reading
from broker.store.rollup import Count
from broker.store.statistics import Sample
from broker.web.accounts.account import Role
from broker.web.rendering import charts
from broker.web.rendering.charts import Bar, Chart
from broker.web.request.context import Page, ThisPage, needs

SPANS: Final = {"day": (timedelta(hours=1), 24), "week": (timedelta(hours=6), 28), "month": (timedelta(days=1), 30)}
"""Step and number of steps of each span."""

MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class _Steps:
    """The moments between which is counted, and what they are called."""

    edges: list[datetime]
    names: list[str]


@get("/plots", sync_to_thread=True, guards=[needs(Role.GUARD)])
def show(page: ThisPage, span: FromQuery[str] = "day", site: FromQuery[str] = "") -> Response[str]:
    """Draw the last day, week or month."""
    span = span if span in SPANS else "day"
    steps = _steps(page, span, site)
    with reading(page.console.engine) as connection:
        captions = rollup.by_step(connection, steps.edges, site=site)
        is_behind = rollup.is_behind(connection)
        incidents = statistics.incidents_by_step(connection, steps.edges, site=site)
        samples = statistics.samples(connection, since=steps.edges[0], site=site)
        ledgers = [one.ledger for one in devices.everyone(connection) if site in ("", one.site)]
    saved = saved_by_step(samples, steps.edges)
    return page.render(
        "plots.html",
        span=span,
        spans=list(SPANS),
        site=site,
        captions=_captions(page, steps.names, captions),
        incidents=_incidents(page, steps.names, incidents),
        saved=_saved(page, steps.names, saved),
        is_behind=is_behind,
        total_captions=sum(one.captions for one in captions),
        total_danger=sum(one.dangers for one in captions),
        total_incidents=sum(sum(counted.values()) for counted in incidents),
        words=sum(ledger.sent_bytes for ledger in ledgers),
        video=sum(ledger.video_bytes for ledger in ledgers),
    )


def saved_by_step(samples: Sequence[Sample], edges: Sequence[datetime]) -> list[tuple[int, int]]:
    """Return the bytes of words and of video in every step, from ledgers that count up."""
    totals = [[0, 0] for _ in edges[1:]]
    before: dict[tuple[str, str], Sample] = {}
    for sample in samples:
        last = before.get((sample.site, sample.device))
        before[sample.site, sample.device] = sample
        place = next((n for n, end in enumerate(edges[1:]) if sample.hour < end), None)
        if sample.hour < edges[0] or place is None:
            continue
        # A ledger that goes back belongs to a new outbox, and counts from zero.
        fresh = last is None or sample.video_bytes < last.video_bytes or sample.sent_bytes < last.sent_bytes
        totals[place][0] += sample.sent_bytes - (0 if fresh or last is None else last.sent_bytes)
        totals[place][1] += sample.video_bytes - (0 if fresh or last is None else last.video_bytes)
    return [(words, video) for words, video in totals]


def _steps(page: Page, span: str, site: str) -> _Steps:
    step, count = SPANS[span]
    now = page.console.places.local(page.now, site)
    start = now.replace(minute=0, second=0, microsecond=0)
    if span == "week":
        start = start.replace(hour=start.hour // 6 * 6)
    elif span == "month":
        start = start.replace(hour=0)
    end = start + step
    edges = [end - step * (count - number) for number in range(count + 1)]
    form = {"day": "%H", "week": "%d. %Hh", "month": "%m-%d"}[span]
    return _Steps(edges, [edge.strftime(form) for edge in edges[:-1]])


def _captions(page: Page, names: Sequence[str], counted: Sequence[Count]) -> Chart:
    t = page.said
    return charts.bars(
        [
            Bar(
                name,
                (one.dangers, one.captions - one.dangers),
                _tips(name, ((t("plots.danger"), one.dangers), (t("plots.captions"), one.captions))),
            )
            for name, one in zip(names, counted, strict=True)
        ]
    )


def _incidents(page: Page, names: Sequence[str], counted: Sequence[Counter[str]]) -> Chart:
    order = SEVERITIES[::-1]
    return charts.bars(
        [
            Bar(
                name,
                [counter[severity] for severity in order],
                _tips(name, [(page.said(f"severity.{severity}"), counter[severity]) for severity in order]),
            )
            for name, counter in zip(names, counted, strict=True)
        ]
    )


def _saved(page: Page, names: Sequence[str], saved: Sequence[tuple[int, int]]) -> Chart:
    t = page.said
    return charts.bars(
        [
            Bar(
                name,
                (words / MB, video / MB),
                _tips(name, ((t("plots.words"), byte_size(words)), (t("plots.video"), byte_size(video)))),
            )
            for name, (words, video) in zip(names, saved, strict=True)
        ],
        unit=" MB",
    )


def _tips(name: str, facts: Sequence[tuple[str, object]]) -> list[str]:
    return [f"{name}: {word} {value}" for word, value in facts]

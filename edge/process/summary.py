"""The summary of a run: words sent against the video they replace, and how long each stage took."""

from collections.abc import Iterator

import msgspec

from contract.status import Ledger, Stage
from edge.outbox import process_report
from edge.outbox.outbox import Outbox


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did."""

    ledger: Ledger
    """Counts of this run; `waiting` as it is now."""
    stages: tuple[Stage, ...]
    """Latency of each stage."""
    model: str
    """Model bundle in use."""
    first_caption_seconds: float | None
    """Time from the start of the process to its first caption."""
    sentence_ms: float | None
    """Mean wall time from a frame in memory to its sentence."""
    invoke_ms: float | None
    """Mean time of it inside the interpreters."""


def of(outbox: Outbox, before: Ledger) -> Summary:
    """Sum up what happened since the ledger was `before`."""
    now = outbox.ledger()
    looked = process_report.read(outbox, process_report.LOOK)
    return Summary(
        ledger=Ledger(
            frames=now.frames - before.frames,
            captions=now.captions - before.captions,
            sent_bytes=now.sent_bytes - before.sent_bytes,
            video_bytes=now.video_bytes - before.video_bytes,
            waiting=now.waiting,
            given_up=now.given_up - before.given_up,
        ),
        stages=process_report.stages(outbox),
        model=looked.model,
        first_caption_seconds=looked.first_caption_seconds,
        sentence_ms=looked.sentence_ms,
        invoke_ms=looked.invoke_ms,
    )


def lines(summary: Summary) -> Iterator[str]:
    """Yield the summary for people to read."""
    ledger = summary.ledger
    yield f"frames {ledger.frames}, captions {ledger.captions}, waiting {ledger.waiting}, given up {ledger.given_up}"
    less = f", {ledger.video_bytes / ledger.sent_bytes:,.0f} times less" if ledger.sent_bytes else ""
    yield f"sent {ledger.sent_bytes:,} bytes in place of {ledger.video_bytes:,} bytes of video{less}"
    if summary.first_caption_seconds is not None:
        yield f"first caption {summary.first_caption_seconds:.2f} s after the start"
    yield f"{'stage':<8} {'p50 ms':>9} {'p95 ms':>9}"
    for stage in summary.stages:
        yield f"{stage.name:<8} {stage.p50_ms:>9.2f} {stage.p95_ms:>9.2f}"

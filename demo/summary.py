"""The end of the demo: what the device and the alert service counted, as they wrote it down themselves."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo import phone
from demo.words import Words


def lines(device: Path, server: Path, said: Words) -> Iterator[str]:
    """Read both summaries and yield the table that people see; a missing one leaves its rows out."""
    yield said.summary
    edge, broker = _read(device), _read(server)
    if edge:
        ledger = edge["ledger"]
        yield _row(said.frames, f"{ledger['frames']:,}")
        yield _row(said.captions, f"{ledger['captions']:,}")
    if broker:
        yield from _alerts(broker["texts"], said)
    if edge:
        yield _row("", said.traffic.format(**_traffic(ledger)))
        if edge["first_caption_seconds"] is not None:
            yield _row(said.first_caption, f"{edge['first_caption_seconds']:.1f} s")
        yield from _latency(edge["stages"], said)


def _alerts(texts: list[dict[str, Any]], said: Words) -> Iterator[str]:
    if not texts:
        yield _row(said.alerts, said.no_alert)
        return
    yield _row(said.alerts, f"{len(texts)} ({', '.join(text['rule'] for text in texts)})")
    for text in texts:
        yield _row("", f"SMS → {text['recipient']}: {text['text']}")


def _traffic(ledger: dict[str, int]) -> dict[str, str]:
    sent, video = ledger["sent_bytes"], ledger["video_bytes"]
    ratio = f"{video / sent:,.0f}" if sent else "-"
    return {"words": f"{sent / 1000:,.1f} kB", "video": f"{video / 1000:,.1f} kB", "ratio": ratio}


def _latency(stages: list[dict[str, Any]], said: Words) -> Iterator[str]:
    yield _row(said.latency, f"{'p50':>22}{'p95':>10}")
    for stage in stages:
        yield _row("", f"{stage['name']:<12}{stage['p50_ms']:>10.1f}{stage['p95_ms']:>10.1f}")


def _row(name: str, value: str) -> str:
    return f"  {name}{' ' * (16 - phone.width(name))}{value}"


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found

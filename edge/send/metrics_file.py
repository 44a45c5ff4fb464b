"""Metrics of a device as a text file, which Prometheus's node_exporter reads (its textfile collector).

Format: prometheus.io/docs/instrumenting/exposition_formats. The device opens no port for it.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from contract.status import Ledger
from edge.outbox import process_report
from edge.outbox.outbox import Outbox
from edge.outbox.process_report import Report

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 15.0
"""Time between two writings; Prometheus usually reads as often."""

MODE: Final = 0o644
"""node_exporter is another user."""

Sample = tuple[dict[str, str], float]
"""Labels and value."""


@dataclass(slots=True)
class MetricsFile:
    """The file of one device, replaced whole."""

    path: Path
    """Its name must end in `.prom`."""
    labels: dict[str, str]
    """Labels of every sample: site and device."""
    version: str
    clock: Callable[[], float]
    """Seconds, monotonic."""
    _due_at: float = field(default=-1.0, init=False)
    _trouble: str = field(default="", init=False)

    def write_if_due(self, outbox: Outbox, *, is_connected: bool) -> None:
        """Write it where it is old; where that fails, a line is logged, once for each cause."""
        if self.clock() < self._due_at:
            return
        self._due_at = self.clock() + EVERY_SECONDS
        look = process_report.read(outbox, process_report.LOOK)
        said = text(self.labels, self.version, outbox.ledger(), look, is_connected=is_connected)
        # Another ending: node_exporter must not read half a file.
        part = self.path.with_suffix(f".{os.getpid()}.part")
        try:
            part.write_text(said, encoding="utf-8")
            part.chmod(MODE)
            part.replace(self.path)
        except OSError as error:
            self._complain(error.strerror or str(error))
        else:
            self._trouble = ""

    def _complain(self, why: str) -> None:
        if why != self._trouble:
            self._trouble = why
            log.warning("metrics not written", extra={"file": str(self.path), "reason": why})


def text(labels: dict[str, str], version: str, ledger: Ledger, look: Report, *, is_connected: bool) -> str:
    """Write the metrics of a device, by its outbox and by what `look` reports."""
    return "".join(
        line
        for name, kind, meaning, samples in _metrics(version, ledger, look, is_connected=is_connected)
        for line in _lines(
            f"wordcam_edge_{name}", kind, meaning, [({**labels, **more}, value) for more, value in samples]
        )
    )


def _metrics(
    version: str, ledger: Ledger, look: Report, *, is_connected: bool
) -> Iterator[tuple[str, str, str, list[Sample]]]:
    """Yield name, kind, meaning and samples of each metric."""
    yield "info", "gauge", "Software and model.", [({"version": version, "model": look.model}, 1)]
    yield "connected", "gauge", "Whether the MQTT server has this device.", [({}, is_connected)]
    yield "armed", "gauge", "Whether it watches.", [({}, look.armed)]
    yield "trouble", "gauge", "Whether `look` gives a reason for not seeing.", [({}, bool(look.reason))]
    counts = (
        ("frames_total", "Frames looked at.", ledger.frames),
        ("captions_total", "Captions written.", ledger.captions),
        ("given_up_total", "Captions that left the outbox unacknowledged.", ledger.given_up),
        ("sent_bytes_total", "Bytes of captions published.", ledger.sent_bytes),
        ("video_bytes_total", "Bytes of the video that they stand for.", ledger.video_bytes),
    )
    for name, meaning, value in counts:
        yield name, "counter", meaning, [({}, value)]
    yield "waiting", "gauge", "Captions in the outbox.", [({}, ledger.waiting)]
    conditions: list[Sample] = [
        ({"stream": one.stream, "condition": one.condition.value}, 1) for one in look.conditions
    ]
    yield "camera_condition", "gauge", "What is wrong with a camera's picture; absent where nothing is.", conditions
    stages: list[Sample] = [
        ({"stage": stage.name, "quantile": quantile}, milliseconds / 1000)
        for stage in look.stages
        for quantile, milliseconds in (("0.5", stage.p50_ms), ("0.95", stage.p95_ms))
    ]
    yield "stage_seconds", "gauge", "How long a stage of the work takes.", stages


def _lines(name: str, kind: str, meaning: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n"
    for labels, value in samples:
        said = ",".join(f'{label}="{_escaped(word)}"' for label, word in labels.items())
        yield f"{name}{{{said}}} {float(value):.12g}\n"


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

"""The metrics file: read as Prometheus reads it, whole at any moment, and never a reason to stop."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from contract.status import CameraCondition, Condition, Stage
from edge.outbox import process_report
from edge.outbox.outbox import Outbox
from edge.outbox.process_report import Report
from edge.send.metrics_file import EVERY_SECONDS, MetricsFile
from tests.edge.outbox.test_outbox import event

REPORT = Report(
    model='tiny "two"@0.1.0',
    stages=(Stage("encode", 40.0, 60.0),),
    conditions=(CameraCondition("cam-0", Condition.DARK, datetime(2026, 1, 1, tzinfo=UTC)),),
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def made(path: Path, clock: Clock) -> MetricsFile:
    return MetricsFile(path, {"site": "lab", "device": "dev-1"}, "1.2.3", clock)


def values(path: Path) -> dict[str, float]:
    """Return each sample by its name and what tells it from others."""
    families = text_string_to_metric_families(path.read_text("utf-8"))
    return {
        " ".join([sample.name, *(word for label, word in sample.labels.items() if label not in {"site", "device"})]): (
            sample.value
        )
        for family in families
        for sample in family.samples
    }


def test_prometheus_reads_what_the_device_counts(tmp_path: Path) -> None:
    path = tmp_path / "wordcam.prom"
    with Outbox(tmp_path / "outbox.sqlite", 10) as box:
        process_report.leave(box, process_report.LOOK, REPORT)
        box.append(event)
        made(path, Clock()).write_if_due(box, is_connected=True)

    found = values(path)
    assert found["wordcam_edge_connected"] == found["wordcam_edge_captions_total"] == found["wordcam_edge_waiting"] == 1
    assert found["wordcam_edge_camera_condition cam-0 dark"] == 1
    assert found["wordcam_edge_stage_seconds encode 0.95"] == pytest.approx(0.06)
    assert found['wordcam_edge_info 1.2.3 tiny "two"@0.1.0'] == 1
    assert [file.name for file in tmp_path.glob("*.p*")] == ["wordcam.prom"]


def test_it_is_written_every_quarter_of_a_minute(tmp_path: Path) -> None:
    path, clock = tmp_path / "wordcam.prom", Clock()
    with Outbox(tmp_path / "outbox.sqlite", 10) as box:
        metrics = made(path, clock)
        metrics.write_if_due(box, is_connected=True)
        metrics.write_if_due(box, is_connected=False)
        assert values(path)["wordcam_edge_connected"] == 1
        clock.now = EVERY_SECONDS
        metrics.write_if_due(box, is_connected=False)

    assert values(path)["wordcam_edge_connected"] == 0


def test_a_folder_that_is_not_there_is_said_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    with Outbox(tmp_path / "outbox.sqlite", 10) as box:
        metrics = made(tmp_path / "missing" / "wordcam.prom", clock)
        for second in range(3):
            clock.now = second * EVERY_SECONDS
            metrics.write_if_due(box, is_connected=True)

    assert caplog.messages == ["metrics not written"]

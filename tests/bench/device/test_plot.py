"""Pictures of figures."""

from pathlib import Path
from xml.etree import ElementTree

from bench.device import page, plot
from tests.house import ROOT


def test_a_plot_names_each_stage_and_each_device_and_is_the_same_every_time(tmp_path: Path) -> None:
    bars = page.stages(page.read(ROOT / "docs" / "devices"))

    for name in ("one.svg", "other.svg"):
        plot.stages(bars, tmp_path / name)

    drawn = (tmp_path / "one.svg").read_bytes()
    said = set(ElementTree.fromstring(drawn).itertext())
    assert said >= {*bars, "encode", "decode", "store"}
    assert drawn == (tmp_path / "other.svg").read_bytes()


def test_memory_over_frames_is_drawn(tmp_path: Path) -> None:
    plot.memory([(0, 100.0), (1000, 150.0)], tmp_path / "memory.png")

    assert (tmp_path / "memory.png").read_bytes().startswith(b"\x89PNG")

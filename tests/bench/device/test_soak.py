"""The memory of a run, by its samples."""

import pytest

from bench.device import soak
from bench.device.soak import Sample


def run(growth_mib_per_1000_frames: float) -> list[Sample]:
    """A run of 20,000 frames that warms up to 150 MiB within 1,000."""
    return [
        Sample(frames, 100 + min(50, frames / 20) + growth_mib_per_1000_frames * frames / 1000)
        for frames in range(0, 20_001, 100)
    ]


def test_warming_up_is_no_growth() -> None:
    found = soak.summary(run(0), captions=7)

    assert (found.frames, found.captions, found.start) == (20_000, 7, 100)
    assert (found.warm, found.end, found.peak) == (150, 150, 150)
    assert found.kib_per_1000_frames == pytest.approx(0, abs=0.1)
    assert not found.grows


def test_a_leak_of_a_kilobyte_a_frame_is_growth() -> None:
    found = soak.summary(run(1.0), captions=7)

    assert found.kib_per_1000_frames == pytest.approx(1024, rel=0.01)
    assert found.grows


def test_a_run_of_three_samples_says_nothing() -> None:
    with pytest.raises(ValueError, match="too few samples"):
        soak.summary([Sample(10, 100), Sample(300, 100)], captions=0)

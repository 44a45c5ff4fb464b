"""The pure parts of `python -m bench`, and one short run of it."""

import json
from pathlib import Path

import cv2
import pytest

from bench.__main__ import device, main
from bench.device import commands, frame


def test_turns_are_taken_one_after_the_other_and_the_first_warms_up() -> None:
    order: list[str] = []

    times = frame.alternate([lambda: order.append("a"), lambda: order.append("b")], rounds=3)

    assert "".join(order) == "abababab"
    assert len(times) == 2


def test_drawn_pictures_are_the_same_every_time() -> None:
    first, again = frame.scenes(None), frame.scenes(None)

    assert len(first) == frame.SCENES
    assert all((one == other).all() for one, other in zip(first, again, strict=True))


def test_pictures_of_a_folder_are_spread_over_it(tmp_path: Path) -> None:
    for number, picture in enumerate(frame.scenes(None) * 2):
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), picture)

    assert len(frame.scenes(tmp_path)) == frame.SCENES


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no pictures"):
        frame.scenes(tmp_path)


def test_what_the_device_measures_becomes_lines() -> None:
    found = {"sentence_ms": 11.0, "invoke_ms": 10.0, "overhead": 1.1, "peak_rss_mib": 99.0, "cold_start_seconds": 0.5}

    lines = list(device(found))

    assert [(line.value, line.unit) for line in lines] == [(1.1, "times"), (99.0, "MiB"), (0.5, "s")]


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(commands.Failed, match="no such bundle"):
        commands.answer("sh", "-c", "echo no such bundle >&2; exit 3")


def test_a_short_run_measures_the_device(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            ["--bundle", str(tiny), "--without-seed", "--without-yolox", "--without-server", "--frames", "5", "--json"]
        )
        == 0
    )

    lines = json.loads(capsys.readouterr().out)
    assert [line["subject"] for line in lines] == [
        "frame to sentence by interpreter calls",
        "resident memory of `look`",
        "cold start to first caption",
    ]
    assert all(line["value"] > 0 for line in lines)


def test_a_bundle_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--bundle", str(tmp_path / "gone")]) == 78
    assert "gone" in capsys.readouterr().err

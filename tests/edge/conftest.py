"""Fixtures of the device's tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.edge import pictures

Write = Callable[..., Path]


@pytest.fixture
def write_config(tmp_path: Path) -> Write:
    """Return a function that writes a configuration; keyword arguments replace whole sections."""

    def write(**sections: Any) -> Path:
        tree = {
            "site": "lab",
            "device": "dev-1",
            "bundle": "bundle",
            "camera": {"kind": "replay", "path": "frames", "pace": "fast"},
            "gate": {"min_gap_seconds": 0},
            "outbox": {"path": "outbox.sqlite"},
            "mqtt": {"host": "127.0.0.1", "port": 1},
            "as_root": True,  # the tests' user is root in many a container
        }
        path = tmp_path / "edge.yaml"
        path.write_text(yaml.safe_dump(tree | sections), encoding="utf-8")
        return path

    return write


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Six pictures, each unlike the one before."""
    return pictures.folder(tmp_path / "frames", [pictures.RED, pictures.GREEN, pictures.BLUE] * 2)

"""METEOR: its formula, and what is said where it cannot be measured."""

import shutil
from pathlib import Path

import pytest

from trainer import metrics

CANDIDATES = [["a", "dog", "runs"]]
REFERENCES = [[["a", "dog", "is", "running"]]]


@pytest.mark.slow
def test_meteor_follows_its_formula() -> None:
    """Denkowski and Lavie 2014, sections 2 and 3: three content words, two of them met in one chunk."""
    if shutil.which("java") is None:
        pytest.skip("METEOR needs Java")
    alpha, beta, gamma = 0.85, 0.2, 0.6
    precision, recall = 1.0, 2 / 3
    mean = precision * recall / (alpha * precision + (1 - alpha) * recall)
    penalty = gamma * (1 / 2) ** beta

    score = metrics.meteor([["zebra", "quartz"]], [[["zebra", "quartz", "vertex"]]])

    assert score == pytest.approx(mean * (1 - penalty), abs=1e-3)


def test_meteor_is_left_out_where_it_cannot_be_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(metrics.LeftOut, match="brings it for English, not for 'ko'"):
        metrics.meteor(CANDIDATES, REFERENCES, "ko")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(metrics.LeftOut, match="there is no `java` here"):
        metrics.meteor(CANDIDATES, REFERENCES)


def test_meteor_says_so_where_java_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\nexit 1\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    with pytest.raises(metrics.LeftOut, match="Java ended early"):
        metrics.meteor(CANDIDATES, REFERENCES)

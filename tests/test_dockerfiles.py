"""Container files, which are not built here: linted, and held to what their comments promise."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILES = sorted((ROOT / "deploy").glob("*Dockerfile"))


def instructions(path: Path) -> list[tuple[str, str]]:
    """Return each instruction with its arguments; comments are dropped and continued lines joined."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(name.upper(), rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_a_linter_finds_nothing(path: Path) -> None:
    linter = Path(sys.executable).parent / "hadolint"  # beside this Python, whose folder need not be on PATH
    done = subprocess.run([linter, "--no-color", str(path)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_nothing_runs_as_root(path: Path) -> None:
    users = [rest for name, rest in instructions(path) if name == "USER"]

    assert users
    assert users[-1] not in {"root", "0"}


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_what_is_copied_is_there_and_not_ignored(path: Path) -> None:
    ignore = path.with_name(f"{path.name}.dockerignore")
    sent = {line.removeprefix("!") for line in ignore.read_text().splitlines() if line.startswith("!")}
    copies = [rest.split()[:-1] for name, rest in instructions(path) if name == "COPY" and "--from" not in rest]

    for source in (source for sources in copies for source in sources):
        assert (ROOT / source).exists()
        assert source in sent


def test_the_trainer_is_built_on_tensorflows_own_gpu_image() -> None:
    found = instructions(ROOT / "deploy" / "trainer.Dockerfile")

    assert [rest for name, rest in found if name == "FROM"] == ["tensorflow/tensorflow:2.19.0-gpu"]
    assert ("ENTRYPOINT", '["wordcam-train"]') in found

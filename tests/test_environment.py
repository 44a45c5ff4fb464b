"""`tools/environment`, which `make demo` and `make test` begin with."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.parametrize("python", ["/bin/false", "no-such-python"])
def test_a_python_that_does_not_fit_is_named_with_those_that_do(python: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [REPOSITORY / "tools" / "environment", tmp_path / "venv", "demo"],
        env=os.environ | {"PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 78
    assert done.stderr == f"wordcam: PYTHON={python} is not a Python of 3.11 to 3.13\n"
    assert not (tmp_path / "venv").exists()


def test_every_shell_script_parses() -> None:
    for script in ("tools/environment", ".ci/run"):
        done = subprocess.run(["sh", "-n", REPOSITORY / script], capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stderr
        assert os.access(REPOSITORY / script, os.X_OK)

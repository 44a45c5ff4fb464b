"""A trial of a bundle in a process of its own: what fails, hangs or crashes there ends nothing here.

Run as a program: `python -m edge.look.bundle.trial FOLDER THREADS ACCELERATION`, the last as JSON. It prints the digest
of what it has tried.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from contract import bundle
from contract.errors import Refused
from edge.infer import runtime, self_test
from edge.infer.captioner import Captioner
from edge.infer.runtime import Acceleration
from edge.process import sandbox

TRIAL_SECONDS: Final = 120.0
"""A slow board under load takes some seconds."""

FAILED: Final = 3
"""Exit code of a bundle that cannot be used; stdout says why in one line."""


class TrialFailed(Exception):
    """A bundle that cannot be used; one line says why."""


def run(folder: Path, threads: int, *, acceleration: Acceleration | None = None, seconds: float = TRIAL_SECONDS) -> str:
    """Try a bundle, and return the digest of its manifest; raises `TrialFailed`."""
    program = [sys.executable, "-m", __name__, str(folder), str(threads), msgspec.json.encode(acceleration).decode()]
    try:
        done = subprocess.run(program, check=False, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise TrialFailed(f"self-test: no answer within {seconds:g} s") from error
    except OSError as error:
        raise TrialFailed(f"self-test: cannot be started: {error.strerror}") from error
    said = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode == FAILED:
        raise TrialFailed(said)
    if done.returncode:
        raise TrialFailed(f"self-test: {_ended(done.returncode)}")
    return said


def _ended(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"


def main(folder: Path, threads: int, acceleration: Acceleration | None) -> int:
    """Load a bundle and run its self-test; return the exit code."""
    sandbox.die_with_parent()
    sandbox.hide_memory()
    try:
        contents = bundle.read(folder)
        captioner = Captioner(folder, contents, threads=threads, beam_width=None, acceleration=acceleration)
        self_test.run(captioner)
    except Refused as error:
        sys.stdout.write(error.detail)
    except self_test.SelfTestFailed as error:
        sys.stdout.write(f"self-test: {error}")
    except (runtime.NotAModel, runtime.NoRuntime) as error:
        sys.stdout.write(str(error))
    else:
        sys.stdout.write(contents.digest)
        return 0
    return FAILED


if __name__ == "__main__":
    wanted = msgspec.json.decode(sys.argv[3], type=Acceleration | None)
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), wanted))

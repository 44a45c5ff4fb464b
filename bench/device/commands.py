"""The device's own programs, run as a user runs them."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

PATIENCE_LINES: Final = 20
"""Lines of a failed program's complaint that are shown; the rest is noise."""


class Failed(RuntimeError):
    """A program ended with an error; carries its last words."""


def command(name: str) -> str:
    """Return the path of an installed command of this environment; raises `Failed` where it is not installed."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise Failed(f"{path}: not installed; pip install -e '.[dev]' in this environment")
    return str(path)


def answer(*words: str | Path, input_text: str | None = None) -> str:
    """Run a program to its end and return what it answers; raises `Failed` with what it says on standard error."""
    program = list(map(str, words))
    done = subprocess.run(program, check=False, capture_output=True, text=True, input=input_text)
    if done.returncode:
        raise Failed(f"{program[0]} ended with {done.returncode}: {last_words(done.stderr)}")
    return done.stdout


def last_words(text: str) -> str:
    """Return the end of a complaint."""
    return "\n".join(text.strip().splitlines()[-PATIENCE_LINES:])


def device(bundle: Path, frames: int, pictures: Path | None, *, threads: int | None = None) -> dict[str, Any]:
    """Measure the `look` process by `wordcam-edge bench`; raises `Failed`."""
    words = ["bench", "--json", "--bundle", str(bundle), "--frames", str(frames)]
    words += ["--threads", str(threads)] if threads is not None else []
    words += ["--source", str(pictures)] if pictures is not None else []
    found: dict[str, Any] = json.loads(answer(command("wordcam-edge"), *words))
    return found


def captions(bundle: Path, files: Sequence[Path], crops: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Caption files by `wordcam-edge caption`, one answer a file as it comes; raises `Failed`.

    `crops` are KEY=VALUE words of its option.
    """
    program = [command("wordcam-edge"), "caption", "--json", "--bundle", str(bundle)]
    program += [f"--crops={word}" for word in crops]
    program += map(str, files)
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        yield from map(json.loads, running.stdout)
        complaint = running.stderr.read()
    if running.returncode:
        raise Failed(f"wordcam-edge caption ended with {running.returncode}: {last_words(complaint)}")


def judged(rules: Path, said: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Show captions to `wordcam-broker rules test`, and return its answer on each; raises `Failed`."""
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in said)
    words = ["rules", "test", "-", "--json", "--rules", str(rules)]
    return [json.loads(line) for line in answer(command("wordcam-broker"), *words, input_text=lines).splitlines()]

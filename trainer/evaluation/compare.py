"""Trains every variant of a sweep as a run of its own; a failed variant does not stop the others."""

import hashlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from foundation.errors import Misconfigured
from trainer.data import prepare
from trainer.data.prepare import Prepared
from trainer.errors import CheckpointError, Stopped
from trainer.recipe import recipe as recipes
from trainer.recipe import sweep
from trainer.recipe.recipe import Recipe
from trainer.recipe.run_dir import RunDir
from trainer.recipe.sweep import Sweep, Trial

TRY_AGAIN: Final = 75

COMMAND: Final = (sys.executable, "-c", "from trainer.cli import console; console()")
"""`wordcam-train`, in a process of its own: a variant that runs out of memory does not end the others."""

RECIPE: Final = "recipe.yaml"
"""The variant's whole recipe, in its run's folder; every verb of `wordcam-train` takes it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a variant."""

    trial: Trial
    run: RunDir
    status: Literal["trained", "failed", "left out"]
    reason: str = ""
    """Reason why it has no figures; empty where it was trained."""


def run(plan: Sweep, folder: Path, options: Sequence[str], say: Callable[[str], None]) -> Iterator[Outcome]:
    """Train the variants one after another in `folder`; a killed comparison goes on where it was.

    `options` are passed on to `wordcam-train train`, `say` receives every line of progress. Raises `Stopped` where a
    variant could not go on for a reason that passes, such as a full disk.
    """
    for number, trial in enumerate(plan.trials, 1):
        say(f"[{number}/{len(plan.trials)}] {trial.name}")
        place = RunDir(folder / trial.name)
        if trial.missing:
            outcome = Outcome(trial, place, "left out", f"{trial.missing} is not there")
        else:
            outcome = _attempt(trial, place, folder, options, say)
        if outcome.reason:
            say(f"{trial.name}: {outcome.status}: {outcome.reason}")
        yield outcome


def found(plan: Sweep, folder: Path) -> list[Outcome]:
    """Return the variants whose runs have a captioner, as they are, without training any."""
    places = [(trial, RunDir(folder / trial.name)) for trial in plan.trials]
    return [
        Outcome(trial, place, "trained")
        if place.best_captioner.exists()
        else Outcome(trial, place, "left out", "not trained")
        for trial, place in places
    ]


def _attempt(trial: Trial, place: RunDir, folder: Path, options: Sequence[str], say: Callable[[str], None]) -> Outcome:
    try:
        lay_out(trial.recipe, place, folder)
    except Misconfigured as error:
        return Outcome(trial, place, "failed", str(error))
    command = [*COMMAND, "train", str(place.folder / RECIPE), "--runs", str(folder), *options]
    code, last = _follow(command, lambda line: say(f"{trial.name} | {line}"))
    reason = last.removeprefix("wordcam-train: ")
    if code == TRY_AGAIN:
        raise Stopped(f"{trial.name}: {reason}")
    if code < 0:
        return Outcome(trial, place, "failed", f"ended by {signal.Signals(-code).name}, perhaps for want of memory")
    return Outcome(trial, place, "failed", reason) if code else Outcome(trial, place, "trained")


def lay_out(recipe: Recipe, place: RunDir, folder: Path) -> None:
    """Write a variant's recipe, and let its run share the features of all variants with its encoder and images.

    Raises `CheckpointError` where the folder was begun with another recipe, `DataError` for data that cannot be used.
    """
    known = place.folder / RECIPE
    if known.exists() and (changed := sweep.difference(recipes.load(known), recipe)):
        raise CheckpointError(f"{known}: {changed}; remove {place.folder} to train it anew, or name the variant anew")
    shared = folder / f"features-{digest(recipe, prepare.gather(recipe))}"
    shared.mkdir(parents=True, exist_ok=True)
    place.folder.mkdir(parents=True, exist_ok=True)
    link = place.folder / "features"
    if not link.is_symlink() and not link.exists():
        link.symlink_to(Path("..") / shared.name, target_is_directory=True)
    sweep.write(recipe, known)


def digest(recipe: Recipe, prepared: Prepared) -> str:
    """Return a digest of what cached features depend on: the encoder and the images in their order."""
    hashed = hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(recipe.encoder, batch_size=1)))
    for examples in (prepared.train, prepared.val, prepared.boxes_train, prepared.boxes_val):
        hashed.update(f"\n{len(examples)}".encode())
        for example in examples:
            hashed.update(f"\n{example.path}".encode())
    return hashed.hexdigest()[:12]


def _follow(command: Sequence[str], say: Callable[[str], None]) -> tuple[int, str]:
    """Run a child to its end, passing on its lines; return its exit code and last line. It ends with this process."""
    last = ""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as child:
        try:
            for line in child.stdout or ():
                if text := line.rstrip():
                    last = text
                    say(text)
            return child.wait(), last
        except BaseException:  # the comparison is stopped: let the variant save its step first
            child.terminate()
            child.wait()
            raise

"""A workstation's folder, and `wordcam-train` run in it, in processes of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from testing.preloaded import Preloaded, Program

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-c", "from trainer.cli import console; console()")
ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


@cache
def preloaded() -> Preloaded:
    """The process that starts the trainer's programs; TensorFlow is imported once, in it."""
    return Preloaded(("tensorflow", "keras", "trainer.cli", "tests.trainer.replicas"), ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class Workstation:
    """A folder laid out as the repository is: `config/` with the recipe, `runs/` with data and results."""

    folder: Path

    @property
    def recipe(self) -> Path:
        """The copy of the smoke recipe."""
        return self.folder / "config" / "trainer-smoke.yaml"

    @property
    def run(self) -> Path:
        """Where the recipe's run keeps its files."""
        return self.folder / "runs" / "smoke"

    def lay_out(self) -> None:
        """Copy the smoke recipe that ships."""
        self.recipe.parent.mkdir()
        self.recipe.write_bytes((ROOT / "config" / "trainer-smoke.yaml").read_bytes())

    def change(self, **sections: object) -> None:
        """Replace sections of the recipe."""
        document = yaml.safe_load(self.recipe.read_text(encoding="utf-8"))
        self.recipe.write_text(yaml.safe_dump({**document, **sections}), encoding="utf-8")

    def start(self, *arguments: str | Path) -> Program:
        """Start `wordcam-train`."""
        words = [str(word) for word in arguments]
        return preloaded().start("trainer.cli:console", words, cwd=self.folder, environment=os.environ | ENVIRONMENT)

    def ends(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run `wordcam-train` to its end."""
        with self.start(*arguments) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(arguments, process.wait(), out, err)

    def does(self, *arguments: str | Path) -> str:
        """Run `wordcam-train`, which must succeed, and return what it answers."""
        done = self.ends(*arguments)
        assert done.returncode == 0, f"{' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr[-3000:]}"
        return done.stdout

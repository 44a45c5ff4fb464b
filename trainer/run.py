"""Where a run keeps its files: `runs/<name>/`, one folder a recipe."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """The places of one run."""

    folder: Path

    @property
    def features(self) -> Path:
        """Cached features."""
        return self.folder / "features"

    @property
    def vocabulary(self) -> Path:
        """The vocabulary that the checkpoints speak."""
        return self.folder / "vocabulary.txt"

    @property
    def captioner(self) -> Path:
        """The best captioner of maximum-likelihood training."""
        return self.folder / "captioner.weights.h5"

    @property
    def tuned(self) -> Path:
        """The best captioner of self-critical training."""
        return self.folder / "captioner-tuned.weights.h5"

    @property
    def best_captioner(self) -> Path:
        """The tuned captioner where there is one, else the other."""
        return self.tuned if self.tuned.exists() else self.captioner

    @property
    def evidence(self) -> Path:
        """The classifier of dangers."""
        return self.folder / "evidence.weights.h5"

    @property
    def detector(self) -> Path:
        """The best detector."""
        return self.folder / "detector.weights.h5"

    def log(self, stage: str) -> Path:
        """Losses and metrics of a stage, one line an epoch."""
        return self.folder / f"{stage}.csv"

    def backup(self, stage: str) -> Path:
        """What a killed stage resumes from."""
        return self.folder / "backup" / stage

    def board(self, stage: str) -> Path:
        """TensorBoard's folder."""
        return self.folder / "tensorboard" / stage

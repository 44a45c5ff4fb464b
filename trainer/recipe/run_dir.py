"""Where a run keeps its files: `runs/<name>/`, one folder a recipe."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunDir:
    """Paths of one run."""

    folder: Path

    @property
    def features(self) -> Path:
        """Cached features; a folder of its own for the fine-tuned encoder."""
        return self.folder / ("features-tuned" if self.encoder.exists() else "features")

    @property
    def joint(self) -> Path:
        """The networks that were fine-tuned together, in one file."""
        return self.folder / "joint.weights.h5"

    @property
    def encoder(self) -> Path:
        """The fine-tuned encoder; it exists once fine-tuning has ended."""
        return self.folder / "encoder.weights.h5"

    def part(self, name: str) -> Path:
        """One of the networks that were fine-tuned together: `captioner`, `evidence` or `detector`."""
        return self.folder / f"joint-{name}.weights.h5"

    @property
    def vocabulary(self) -> Path:
        """The vocabulary of the checkpoints."""
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
        """The captioner of the latest stage: self-critical, joint or maximum-likelihood."""
        return self.tuned if self.tuned.exists() else self.base_captioner

    @property
    def base_captioner(self) -> Path:
        """The captioner that self-critical training starts from."""
        joint = self.part("captioner")
        return joint if joint.exists() else self.captioner

    @property
    def evidence(self) -> Path:
        """The hazard classifier."""
        return self.folder / "evidence.weights.h5"

    @property
    def best_evidence(self) -> Path:
        """The fine-tuned hazard classifier where there is one, else the other."""
        path = self.part("evidence")
        return path if path.exists() else self.evidence

    @property
    def best_detector(self) -> Path:
        """The fine-tuned detector where there is one, else the other."""
        path = self.part("detector")
        return path if path.exists() else self.detector

    @property
    def phrases(self) -> Path:
        """The phrase predictor."""
        return self.folder / "phrases.weights.h5"

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

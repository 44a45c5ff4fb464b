"""All views of all pictures of a recipe, with their features."""

from pathlib import Path
from typing import Final

from edge.infer.captioner import Captioner
from trainer.hazards import features
from trainer.hazards.features import Encoded
from trainer.hazards.pictures import EVERYDAY, Picture

EVERYDAY_STEP: Final = 3
"""One in so many everyday pictures is shown as a bad camera would as well."""


def encode(folder: Path, pictures: list[Picture], captioner: Captioner) -> Encoded:
    """Encode every set of views, or read what is on disk; raises what `features.encode` does."""
    still = [picture for picture in pictures if picture.path.suffix != ".mp4"]
    scenes = [picture for picture in still if picture.label != EVERYDAY]
    everyday = [picture for picture in still if picture.label == EVERYDAY][::EVERYDAY_STEP]
    moving = [picture for picture in pictures if picture.path.suffix == ".mp4"]
    sets = (
        ("frames", still, features.frames),
        ("crops", [one for one in still if one.label != EVERYDAY or one.boxes], features.crops),
        ("bad-1", scenes, features.worse(1)),
        ("bad-2", scenes, features.worse(2)),
        ("bad-everyday", everyday, features.worse(1)),
        ("lit", [*scenes, *everyday], features.lit),
        ("mirrored", scenes, features.mirrored),
        ("clips", moving, features.clips),
    )
    found = [features.encode(folder, name, chosen, captioner, show) for name, chosen, show in sets]
    return features.join(found, found[0].pooled.shape[1])

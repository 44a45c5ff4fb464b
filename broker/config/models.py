"""The part `models` of `broker.yaml`: the repository that devices take new models from."""

from pathlib import Path

from broker.config.section import Section


class Models(Section, frozen=True, kw_only=True):
    """Model updates. Without this part devices keep the model that they have."""

    folder: Path
    """The repository's folder, which `wordcam-broker models init` makes. The console serves what is public of it, under
    `/models`; its `keys` are this service's alone."""

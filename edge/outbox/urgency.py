"""Which captions speak of a danger: they leave a full outbox last, and are sent first."""

from typing import Final

from contract.caption import Caption

LIKELY: Final = 0.5
"""Probability from which a danger counts as one, where no memory says since when it has been there."""


def is_danger(event: Caption) -> bool:
    """Whether a danger stands in the event, or is more likely than not."""
    return any(hazard.since is not None or hazard.probability >= LIKELY for hazard in event.hazards)

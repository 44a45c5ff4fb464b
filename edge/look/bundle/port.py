"""What the loop must know of bundles: whether another one is ready, and what is not used."""

from dataclasses import dataclass
from typing import Protocol

from contract.status import Fallback
from edge.infer.captioner import Captioner


class Next(Protocol):
    """A bundle that is ready to be used."""

    @property
    def captioner(self) -> Captioner:
        """Its models, loaded, with its manifest."""
        ...


class Bundles(Protocol):
    """The bundle in use, and the next one."""

    @property
    def fallbacks(self) -> tuple[Fallback, ...]:
        """What is not used, where the configured bundle is not."""
        ...

    def take(self, *, calm: bool) -> Next | None:
        """Return the next bundle, once, where one is ready; it counts as in use from then on."""
        ...

    def works(self) -> None:
        """Note that the bundle in use has worked for a while."""
        ...


@dataclass(frozen=True, slots=True)
class OneBundle:
    """A bundle that stays the same, as over a film."""

    fallbacks: tuple[Fallback, ...] = ()

    def take(self, *, calm: bool) -> Next | None:  # noqa: ARG002  # there is none, calm or not
        """Return none."""
        return None

    def works(self) -> None:
        """Keep nothing."""

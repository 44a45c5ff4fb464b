"""Finds the open incident that a danger joins: one weapon is a knife in one picture and a weapon in the next."""

from collections.abc import Iterable, Sequence

from broker.config.incidents import Joining
from broker.config.section import Severity, at_least
from broker.incidents.incident import Incident


def find(
    joinings: Sequence[Joining], incidents: Iterable[Incident], *, danger: str, camera: str, severity: Severity
) -> Incident | None:
    """Return the oldest open incident of a site that a danger joins, where the same camera has seen it.

    People were notified of it, and it is no less severe: otherwise the danger would be lost.
    """
    joined = others(joinings, danger)
    return next(
        (
            incident
            for incident in incidents
            if incident.danger in joined
            and camera in incident.cameras
            and incident.notified is not None
            and at_least(incident.severity, severity)
        ),
        None,
    )


def others(joinings: Sequence[Joining], danger: str) -> tuple[str, ...]:
    """Return the dangers whose incidents a danger joins, in their order."""
    return tuple(dict.fromkeys(name for rule in joinings if danger in rule.joins for name in rule.during))

"""Which danger hides behind a greater one that people know of."""

from collections.abc import Iterable, Sequence

from broker.config.incidents import Inhibition
from broker.config.section import Severity, at_least
from broker.incidents.incident import Incident


def find(
    inhibitions: Sequence[Inhibition], incidents: Iterable[Incident], *, danger: str, severity: Severity
) -> list[Incident]:
    """Give the open incidents of a site behind which a danger may hide, oldest first.

    People know of each, and none is less severe: a danger that is hidden behind what nobody was told of would be lost.
    """
    greater = {name for rule in inhibitions if danger in rule.hold_back for name in rule.during}
    return [
        incident
        for incident in incidents
        if incident.danger in greater and incident.told is not None and at_least(incident.severity, severity)
    ]

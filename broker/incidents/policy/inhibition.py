"""Finds the greater danger, known to people, that inhibits notifications of a lesser one."""

from collections.abc import Iterable, Sequence

from broker.config.incidents import Inhibition
from broker.config.section import Severity, at_least
from broker.incidents.incident import Incident


def find(
    inhibitions: Sequence[Inhibition], incidents: Iterable[Incident], *, danger: str, severity: Severity
) -> list[Incident]:
    """Return the open incidents of a site that inhibit a danger, oldest first.

    People were notified of each, and none is less severe: otherwise the inhibited danger would be lost.
    """
    greater = {name for rule in inhibitions if danger in rule.hold_back for name in rule.during}
    return [
        incident
        for incident in incidents
        if incident.danger in greater and incident.notified is not None and at_least(incident.severity, severity)
    ]

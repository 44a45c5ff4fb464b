"""Finds the dangers that a model believes in although the sentence does not name them."""

from broker.notify import reasons
from broker.rules.reasons import HazardBelieved, Says
from broker.store.outcome import Outcome
from broker.store.search import Found


def of(found: Found, incident: int | None = None) -> HazardBelieved | None:
    """Return what the model believes of a caption that a rule fired on, of one incident where that is named.

    None where a rule fired on words of the sentence: then the sentence says it.
    """
    fired = [made for made in found.decisions if Outcome(made.outcome).is_sighting]
    own = [made for made in fired if incident is None or made.incident_id == incident]
    why = [reason for made in own for reason in reasons.decode(made.because)]
    if any(isinstance(reason, Says) for reason in why):
        return None
    return next((reason for reason in why if isinstance(reason, HazardBelieved)), None)

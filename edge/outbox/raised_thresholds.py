"""The raised thresholds as the server last sent them: left in the outbox by `send`, read by `look`."""

from typing import Final

from contract import thresholds
from contract.errors import Refused
from contract.thresholds import Raised, Thresholds
from edge.outbox.outbox import Outbox

NAME: Final = "thresholds"
"""Under which the outbox keeps them, beside the notes of the two processes."""


def leave(outbox: Outbox, found: Thresholds) -> None:
    """Keep them in place of the last ones; raises what `Outbox.report` raises."""
    outbox.report(NAME, thresholds.encode(found))


def read(outbox: Outbox) -> tuple[Raised, ...]:
    """Read them; none where none were ever sent, or another version wrote them."""
    body = outbox.reported(NAME)
    try:
        return thresholds.decode(body).raised if body else ()
    except Refused:
        return ()

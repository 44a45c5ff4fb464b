"""What does not hold of the isolation of `look`: left in the outbox when it starts, read by `send` for the status."""

from typing import Final

import msgspec

from contract.status import Exposure
from edge.outbox.outbox import Outbox

NAME: Final = "exposed"
"""Under which the outbox keeps it, beside the notes of the processes."""


def leave(outbox: Outbox, exposed: tuple[Exposure, ...]) -> None:
    """Keep it in place of the last one; raises what `Outbox.report` raises."""
    outbox.report(NAME, msgspec.json.encode(exposed))


def read(outbox: Outbox) -> tuple[Exposure, ...]:
    """Read it; empty where nothing is exposed, `look` has not started yet, or another version wrote it."""
    body = outbox.reported(NAME)
    try:
        found = msgspec.json.decode(body, type=tuple[Exposure, ...]) if body else ()
    except msgspec.MsgspecError:
        return ()
    return tuple(dict.fromkeys(found))

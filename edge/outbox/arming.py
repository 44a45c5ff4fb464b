"""Whether people want the device to watch: left in the outbox by `send`, read by `look`; kept over a restart."""

from typing import Final

from edge.outbox.outbox import Outbox

NAME: Final = "arming"
"""Under which the outbox keeps it, beside the notes of the two processes."""

_DISARMED: Final = b"disarmed"


def leave(outbox: Outbox, *, armed: bool) -> None:
    """Keep it in place of the last word; raises what `Outbox.report` raises."""
    outbox.report(NAME, b"armed" if armed else _DISARMED)


def is_armed(outbox: Outbox) -> bool:
    """Whether the device is to watch: it is unless the last word was to disarm it."""
    return outbox.reported(NAME) != _DISARMED

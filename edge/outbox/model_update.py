"""What the server offers and how far the device is with it: left in the outbox, so that a power cut forgets neither."""

from typing import Final

import msgspec

from contract import update
from contract.errors import Refused
from contract.update import Offer, Update
from edge.outbox.outbox import Outbox

OFFER: Final = "offer"
PROGRESS: Final = "update"
"""Under which the outbox keeps them, beside the notes of the two processes."""


def leave_offer(outbox: Outbox, offer: Offer) -> None:
    """Keep it in place of the last one; raises what `Outbox.report` raises."""
    outbox.report(OFFER, update.encode(offer))


def read_offer(outbox: Outbox) -> Offer | None:
    """Read the last offer; None where there never was one, or another version wrote it."""
    body = outbox.reported(OFFER)
    try:
        return update.decode(body) if body else None
    except Refused:
        return None


def leave_progress(outbox: Outbox, progress: Update) -> None:
    """Keep it in place of the last one; raises what `Outbox.report` raises."""
    outbox.report(PROGRESS, msgspec.json.encode(progress))


def read_progress(outbox: Outbox, device_class: str) -> Update:
    """Read how far the device is; idle where nothing ever began, or another version wrote it."""
    body = outbox.reported(PROGRESS)
    try:
        found = msgspec.json.decode(body, type=Update) if body else Update()
    except msgspec.MsgspecError:
        found = Update()
    return msgspec.structs.replace(found, device_class=device_class)

"""What may leave the device: each row of the outbox is read by the contract before it is published.

The process that sees writes the outbox, and may have been taken over. Whatever it writes there, no other bytes than
those of the contract's encoder go to the network: an event is written anew from its fields. How old it is,
this process says.
"""

from msgspec import UNSET, structs

from contract import caption
from contract.errors import Refused
from edge.outbox.outbox import Waiting


def admitted(row: Waiting, *, site: str, device: str) -> bytes:
    """Return the bytes to publish for a row.

    Raises `Refused` for a row that is no caption of this device, or whose columns differ from its event.
    """
    event = caption.decode(row.payload, site=site, device=device)
    if (event.id, event.seq) != (row.id, row.seq):
        raise Refused("schema", "the row's `id` and `seq` are not those of its event")
    age = UNSET if row.age_seconds is None else round(min(row.age_seconds, caption.MAX_AGE_SECONDS))
    try:
        return caption.encode(structs.replace(event, age_seconds=age))
    except Refused:
        # The longest of events have no room for it.
        return caption.encode(structs.replace(event, age_seconds=UNSET))

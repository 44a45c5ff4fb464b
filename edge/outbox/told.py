"""What an integration has published, so that a new process neither repeats it nor leaves it standing."""

from typing import TypeVar

import msgspec

from edge.outbox.outbox import Outbox

Kind = TypeVar("Kind")


def leave(outbox: Outbox, name: str, memory: object) -> None:
    """Keep a memory in place of the last one of its name; raises what `Outbox.report` raises."""
    outbox.report(name, msgspec.json.encode(memory))


def read(outbox: Outbox, name: str, kind: type[Kind], empty: Kind) -> Kind:
    """Read a memory; `empty` where there is none, or another version's."""
    body = outbox.reported(name)
    try:
        return msgspec.json.decode(body, type=kind) if body else empty
    except msgspec.MsgspecError:
        return empty

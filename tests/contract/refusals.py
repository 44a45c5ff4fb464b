"""What a decoder makes of something that may or may not keep the contract."""

from collections.abc import Callable

from contract.errors import Refused


def reason(decode: Callable[[], object]) -> str | None:
    """Return the reason of the refusal, or None where what was given is read; any other error is let through."""
    try:
        decode()
    except Refused as refusal:
        return refusal.reason
    return None

"""The one error this package raises when what it is given does not keep the contract."""

from typing import Final


class Refused(ValueError):
    """Something does not keep the contract.

    `reason` is a short stable word to count by (one of `REASONS`); `detail` says what to look at and what would be
    right. The operator of whatever produced it can mend it; trying again cannot.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


REASONS: Final = (
    "too-large",
    "not-utf8",
    "not-json",
    "schema",
    "not-ours",
    "missing-file",
    "digest",
)
"""Every reason `Refused` carries, in the order the checks are made."""

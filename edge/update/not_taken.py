"""Why a package is not taken: raised where it is found out, reported to the server."""

from contract.update import Reason


class NotTaken(Exception):
    """An offer is not taken now; the model in use stays."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason, self.detail = reason, detail

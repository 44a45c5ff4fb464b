"""Whether the process that looks is to look, as people have switched it."""

from edge.outbox import arming
from edge.outbox.outbox import Outbox


class ArmSwitch:
    """The switch as the outbox keeps it; on for good where the configuration lets nobody disarm the device."""

    def __init__(self, outbox: Outbox, *, is_used: bool) -> None:
        self._outbox, self._is_used = outbox, is_used
        self._version = -1
        self.is_armed = True

    def has_changed(self) -> bool:
        """Read it again where anything has been written since; return whether it is another now."""
        version = self._outbox.version() if self._is_used else self._version
        if version == self._version:
            return False
        before, self._version = self.is_armed, version
        self.is_armed = arming.is_armed(self._outbox)
        return self.is_armed is not before

"""A small stand-in for a Raspberry Pi's firmware: which folder of the boot partition it starts, by `config.txt`.

Of the real one it has what system updates rest on: conditional sections `[all]` and `[tryboot]`, `os_prefix`, and a
flag that a restart with the argument `0 tryboot` sets and one start clears. A panic, a watchdog and a power cut leave
the flag clear.
"""

import re
from pathlib import PurePosixPath
from typing import Final

TRYBOOT: Final = "0 tryboot"

_RESTART: Final = re.compile(r"reboot: Restarting system with command '([^']*)'")


def folder(config: str, *, tryboot: bool) -> PurePosixPath:
    """Return the folder whose kernel is started."""
    prefix, applies = "", True
    for line in (line.strip() for line in config.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            applies = line == "[all]" or (line == "[tryboot]" and tryboot)
        elif applies and line.startswith("os_prefix="):
            prefix = line.partition("=")[2]
    return PurePosixPath(prefix)


def sets_tryboot(serial: str) -> bool:
    """Whether the kernel has restarted with the argument that sets the flag; it says so as it does it."""
    return TRYBOOT in _RESTART.findall(serial)

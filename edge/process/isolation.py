"""What each process that meets pictures gives up for good before it meets the first one."""

import ipaddress
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from contract.status import Exposure
from edge.errors import NotIsolated
from edge.process import landlock, sandbox, seccomp

log = logging.getLogger(__name__)

DEVICES: Final = (
    "null",
    "video*",
    "media*",
    "v4l-subdev*",
    "dma_heap",
    "vchiq",
    "apex_*",
    "bus/usb",
    "dri",
    "nvhost*",
    "nvmap",
)
"""Cameras and accelerators below /dev, which are opened for writing too."""

AF_UNIX: Final = 1
AF_NETLINK: Final = 16
"""Families by which the C library looks names up."""


def require_user(*, as_root: bool) -> tuple[Exposure, ...]:
    """Return what is exposed by this process's user; raises `NotIsolated` for root, unless that is wanted."""
    if os.geteuid() != 0:
        return ()
    if not as_root:
        raise NotIsolated(
            "this is root, whom no isolation holds for sure; start it as another user, as the units of deploy/systemd "
            "do; with `as_root: true` in edge.yaml it starts all the same, and the status says so"
        )
    return (Exposure.ROOT,)


def close_look(folders: Iterable[Path], *, allow_network: bool) -> tuple[Exposure, ...]:
    """Take network, sockets, other processes and other files from the process that sees; return what stays exposed.

    `folders` are those that it writes. Raises `NotIsolated` where the kernel refuses and `allow_network` is not set.
    To be called before any thread is started.
    """
    why_not = sandbox.leave_network()
    if why_not:
        log.info("network namespace kept", extra={"reason": why_not})
    sandbox.hide_memory()
    sandbox.close_inherited()
    sandbox.drop_capabilities()
    sandbox.gain_nothing()
    _keep_to(folders)
    why_not = seccomp.install()
    if not why_not:
        log.info("network left", extra={"reason": "no socket of any family can be opened"})
        return ()
    if not allow_network:
        raise NotIsolated(
            f"the process that sees cannot be cut off from the network: {why_not}; `allow_network: true` in edge.yaml "
            "starts it all the same, and the status says so"
        )
    log.warning("network kept", extra={"reason": why_not})
    return (Exposure.NETWORK,)


def close_pull(folders: Iterable[Path], host: str) -> None:
    """Take other sockets than the internet's, other processes and other files from the process that pulls."""
    sandbox.hide_memory()
    sandbox.close_inherited()
    sandbox.drop_capabilities()
    sandbox.gain_nothing()
    _keep_to(folders, tcp=True)
    internet = (seccomp.AF_INET, seccomp.AF_INET6)
    why_not = seccomp.install(internet if _is_number(host) else (*internet, AF_UNIX, AF_NETLINK))
    if why_not:
        log.warning("system calls not filtered", extra={"reason": why_not})


def _keep_to(folders: Iterable[Path], *, tcp: bool = False) -> None:
    why_not = landlock.restrict_writes(folders, _devices(), tcp=tcp)
    if why_not:
        log.info("files as its user has them", extra={"reason": why_not})


def _devices() -> Iterator[Path]:
    for pattern in DEVICES:
        yield from Path("/dev").glob(pattern)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

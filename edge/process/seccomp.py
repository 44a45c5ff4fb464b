"""A filter of system calls that a process puts on itself for good: no socket, no other namespace, no other process.

A short program for the kernel's classic BPF machine, after linux/seccomp.h, linux/filter.h and the kernel's
Documentation/userspace-api/seccomp_filter.rst. It names what is refused rather than what is allowed: which calls a new
version of a library makes is not known, which calls open a way out is.
"""

import errno
import platform
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

ALLOW: Final = 0x7FFF0000
REFUSE: Final = 0x00050000 | errno.EPERM
UNKNOWN: Final = 0x00050000 | errno.ENOSYS
KILL: Final = 0x80000000
"""What the kernel does with a call: SECCOMP_RET_ALLOW, _ERRNO with a number, _KILL_PROCESS."""

AF_INET: Final = 2
AF_INET6: Final = 10

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENT_0, _ARGUMENT_1 = 0, 4, 16, 24
"""Operations, and where `struct seccomp_data` has what is asked for; both architectures are little-endian."""

_NAMESPACES: Final = 0x7E020080
"""Flags of clone(2) for new namespaces: CLONE_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET, and
_NEWTIME, which shares its bit with the signal and is refused as well."""

_TERMINAL: Final = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: requests of ioctl(2) that type into the terminal from which a process was started."""

_X32: Final = 0x40000000
"""From here on x86-64 counts the calls of another table."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Numbers of one kind of processor."""

    audit: int
    """AUDIT_ARCH_... of linux/audit.h."""
    column: int
    """Of `CALLS`."""
    seccomp: int
    """The call that sets a filter."""


ARCHITECTURES: Final = {
    "x86_64": Architecture(0xC000003E, 0, 317),
    "aarch64": Architecture(0xC00000B7, 1, 277),
}
"""By the name that uname(2) has for it."""

NETWORK: Final = {
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "recvmmsg": (299, 243),
}
"""Calls of a process that has a network."""

FORBIDDEN: Final = {
    "socketpair": (53, 199),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "setns": (308, 268),
    "unshare": (272, 97),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "mknodat": (259, 33),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "kcmp": (312, 272),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182),
    "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184),
    "mq_getsetattr": (245, 185),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "syslog": (103, 116),
}
"""Calls that no process here needs: numbers on x86-64 and on 64-bit ARM."""

CLONE: Final = {"clone": (56, 220), "clone3": (435, 435), "ioctl": (16, 29), "mknod": (133, -1)}
"""Calls that are refused by their arguments, or on one architecture alone."""

Instruction = tuple[int, int, int, int]
"""Operation, how far to jump where it holds and where not, and its number (struct sock_filter)."""


def program(machine: str, families: Iterable[int] = ()) -> list[Instruction] | None:
    """Return the filter for a kind of processor; None where it is not known here.

    With `families` (AF_...), sockets of these alone may be opened and used; without, none.
    """
    known = ARCHITECTURES.get(machine)
    return None if known is None else list(_instructions(known, tuple(families)))


def install(families: Iterable[int] = ()) -> str:
    """Put the filter on every thread of this process, and on all it will start; return "", or why it cannot be done.

    Asks for `sandbox.gain_nothing`.
    """
    machine = platform.machine()
    instructions = program(machine, families) if sys.platform.startswith("linux") else None
    if instructions is None:
        return f"no filter of system calls is known for {sys.platform} on {machine}"
    return _set(instructions, ARCHITECTURES[machine].seccomp)


def _instructions(known: Architecture, families: tuple[int, ...]) -> Iterator[Instruction]:
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    yield (_EQUAL, 1, 0, known.audit)
    yield (_RETURN, 0, 0, KILL)
    yield (_LOAD, 0, 0, _NUMBER)
    if known.column == 0:
        yield (_AT_LEAST, 0, 1, _X32)
        yield (_RETURN, 0, 0, REFUSE)
    # The flags of clone3 lie in memory, where no filter sees them; the C library then takes clone.
    yield from _when(CLONE["clone3"][known.column], [(_RETURN, 0, 0, UNKNOWN)])
    yield from _when(
        CLONE["clone"][known.column],
        [(_LOAD, 0, 0, _ARGUMENT_0), (_ANY_BIT, 0, 1, _NAMESPACES), (_RETURN, 0, 0, REFUSE), (_RETURN, 0, 0, ALLOW)],
    )
    yield from _when(CLONE["ioctl"][known.column], _unless_one_of(_ARGUMENT_1, _TERMINAL, ALLOW, REFUSE))
    if families:
        yield from _when(NETWORK["socket"][known.column], _unless_one_of(_ARGUMENT_0, families, REFUSE, ALLOW))
    refused = FORBIDDEN | ({} if families else NETWORK)
    for numbers in (*refused.values(), CLONE["mknod"]):
        if numbers[known.column] >= 0:
            yield from _when(numbers[known.column], [(_RETURN, 0, 0, REFUSE)])
    yield (_RETURN, 0, 0, ALLOW)


def _when(number: int, then: list[Instruction]) -> Iterator[Instruction]:
    """Do something, which returns, where the call is of that number."""
    yield (_EQUAL, 0, len(then), number)
    yield from then


def _unless_one_of(argument: int, values: Iterable[int], verdict: int, otherwise: int) -> list[Instruction]:
    """Return a verdict on a call, and another one where its argument is one of some values."""
    tests = [each for value in values for each in ((_EQUAL, 0, 1, value), (_RETURN, 0, 0, otherwise))]
    return [(_LOAD, 0, 0, argument), *tests, (_RETURN, 0, 0, verdict)]


def _set(instructions: list[Instruction], number: int) -> str:
    import ctypes  # noqa: PLC0415  # the process that sends runs without it, under MemoryDenyWriteExecute

    set_filter, every_thread = 1, 1
    library = ctypes.CDLL(None, use_errno=True)
    packed = b"".join(struct.pack("<HBBI", *each) for each in instructions)
    code = ctypes.create_string_buffer(packed, len(packed))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(code)))
    done = library.syscall(ctypes.c_long(number), ctypes.c_ulong(set_filter), ctypes.c_ulong(every_thread), head)
    if done:
        return f"the kernel refused ({errno.errorcode.get(ctypes.get_errno(), '?')}): filter of system calls"
    return ""

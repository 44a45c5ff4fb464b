"""The filter of system calls, run here for both kinds of processor whatever this one is."""

import ctypes
import errno
import platform

import pytest

from edge.process import seccomp
from edge.process.seccomp import ALLOW, ARCHITECTURES, KILL, REFUSE, UNKNOWN

MACHINES = sorted(ARCHITECTURES)
HARMLESS = {"x86_64": (0, 1, 257, 9, 202), "aarch64": (63, 64, 56, 222, 98)}
"""read, write, openat, mmap and futex."""


def verdict(machine: str, call: int, *arguments: int, audit: int | None = None, families: tuple[int, ...] = ()) -> int:
    """Return what the kernel's machine would return for a call, by its few operations that the filter uses."""
    known = ARCHITECTURES[machine]
    data = {0: call, 4: known.audit if audit is None else audit}
    data |= {16 + 8 * place: value for place, value in enumerate((*arguments, 0, 0)[:2])}
    program = seccomp.program(machine, families)
    assert program is not None
    at, loaded = 0, 0
    while True:
        operation, jump, jump_not, number = program[at]
        at += 1
        match operation:
            case 0x20:
                loaded = data[number]
            case 0x15:
                at += jump if loaded == number else jump_not
            case 0x35:
                at += jump if loaded >= number else jump_not
            case 0x45:
                at += jump if loaded & number else jump_not
            case _:
                assert operation == 0x06
                return number


def number(name: str, machine: str) -> int:
    calls = seccomp.NETWORK | seccomp.FORBIDDEN | seccomp.CLONE
    return calls[name][ARCHITECTURES[machine].column]


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_that_opens_a_way_out_is_refused_and_the_usual_ones_are_not(machine: str) -> None:
    for name in seccomp.NETWORK | seccomp.FORBIDDEN:
        assert verdict(machine, number(name, machine)) == REFUSE, name
    for call in HARMLESS[machine]:
        assert verdict(machine, call) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_threads_may_be_started_and_namespaces_may_not(machine: str) -> None:
    thread, user, network, processes = 0x3D0F00, 0x10000000, 0x40000000, 0x20000000

    assert verdict(machine, number("clone", machine), thread) == ALLOW
    for flag in (user, network, processes):
        assert verdict(machine, number("clone", machine), flag | 17) == REFUSE
    assert verdict(machine, number("clone3", machine)) == UNKNOWN, "the C library takes clone instead"


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_is_typed_into_a_terminal(machine: str) -> None:
    ask_size = 0x5413

    assert verdict(machine, number("ioctl", machine), 0, 0x5412) == REFUSE
    assert verdict(machine, number("ioctl", machine), 0, ask_size) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_by_another_table_of_numbers_do_not_pass(machine: str) -> None:
    intel_32, arm_32 = 0x40000003, 0x40000028

    assert verdict(machine, 1, audit=intel_32) == verdict(machine, 1, audit=arm_32) == KILL
    if machine == "x86_64":
        assert verdict(machine, 0x40000000 + 41) == REFUSE


@pytest.mark.parametrize("machine", MACHINES)
def test_a_process_with_the_internet_has_no_other_sockets(machine: str) -> None:
    families = (seccomp.AF_INET, seccomp.AF_INET6)
    unix, inet, netlink, packet = 1, 2, 16, 17

    asked = {
        f: verdict(machine, number("socket", machine), f, families=families) for f in (unix, inet, netlink, packet)
    }

    assert asked == {unix: REFUSE, inet: ALLOW, netlink: REFUSE, packet: REFUSE}
    assert verdict(machine, number("connect", machine), families=families) == ALLOW
    assert verdict(machine, number("setns", machine), families=families) == REFUSE


def test_an_unknown_processor_has_no_filter() -> None:
    assert seccomp.program("riscv64") is None


def test_the_numbers_are_those_of_libseccomp() -> None:
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is not installed")
    resolve = library.seccomp_syscall_resolve_name_arch
    resolve.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    calls = seccomp.NETWORK | seccomp.FORBIDDEN | seccomp.CLONE
    for known in ARCHITECTURES.values():
        for name, numbers in calls.items():
            found = resolve(known.audit, name.encode())
            assert numbers[known.column] == (found if found >= 0 else -1), name
        assert resolve(known.audit, b"seccomp") == known.seccomp


def test_what_is_refused_is_refused_as_not_permitted() -> None:
    assert REFUSE & 0xFFFF == errno.EPERM
    assert platform.machine()

"""Code of an attacker who has taken `wordcam-edge look` over: it tries every way out, and notes which one was open.

Python runs this file at its start where it lies on its path; it waits until the process has closed itself.
"""

import contextlib
import ctypes
import fcntl
import json
import mmap
import os
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

RESULT = os.environ.get("TAKEN_OVER_RESULT", "")
FRAMES = os.environ.get("TAKEN_OVER_FRAMES", "/nowhere")
OUTSIDE = os.environ.get("TAKEN_OVER_OUTSIDE", "/nowhere")
PARENT = os.getppid()
LIBC = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "x86_64": {"clone": 56, "io_uring_setup": 425, "pidfd_open": 434, "mq_open": 240, "keyctl": 250, "bpf": 321},
    "aarch64": {"clone": 220, "io_uring_setup": 425, "pidfd_open": 434, "mq_open": 180, "keyctl": 219, "bpf": 280},
}.get(os.uname().machine, {})


def call(name: str, *arguments: object) -> None:
    """Call the C library or the kernel; raises `OSError` where it refuses."""
    function = getattr(LIBC, name) if name not in CALLS else LIBC.syscall
    given = arguments if name not in CALLS else (CALLS[name], *arguments)
    answer = function(*given)
    if answer < 0:
        raise OSError(ctypes.get_errno(), name)
    if answer == 0 and name == "clone":  # the child
        os._exit(0)


def write(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))


def enter(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    call("setns", handle, 0)


def map_frames() -> None:
    handle = os.open(FRAMES, os.O_RDONLY)
    mmap.mmap(handle, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)


def read_memory() -> None:
    with Path(f"/proc/{PARENT}/mem").open("rb"):
        return


def attacks() -> Iterator[tuple[str, Callable[[], object]]]:
    for family in range(1, 46):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            yield f"socket {family} {kind}", partial(socket.socket, family, kind)
    yield "socket pair", socket.socketpair
    yield "io_uring", lambda: call("io_uring_setup", 8, ctypes.create_string_buffer(120))
    for space in ("net", "user", "mnt", "pid"):
        yield f"setns {space}", partial(enter, f"/proc/{PARENT}/ns/{space}")
        yield f"setns {space} of init", partial(enter, f"/proc/1/ns/{space}")
    yield "unshare user", lambda: call("unshare", 0x10000000)
    yield "unshare net", lambda: call("unshare", 0x40000000)
    yield "clone into a user namespace", lambda: call("clone", 0x10000000 | 17, 0, 0, 0, 0)
    yield "ptrace", lambda: call("ptrace", 16, PARENT, 0, 0)
    yield "process_vm_readv", lambda: call("process_vm_readv", PARENT, 0, 0, 0, 0, 0)
    yield "pidfd", lambda: call("pidfd_open", PARENT, 0)
    yield "shared memory of System V", lambda: call("shmget", 0, 4096, 0o1666)
    yield "message queue of System V", lambda: call("msgget", 0, 0o1666)
    yield "message queue", lambda: call("mq_open", b"x", 0o102, 0o666, 0)
    yield "key ring", lambda: call("keyctl", 0, -3, 1)
    yield "bpf", lambda: call("bpf", 0, ctypes.create_string_buffer(128), 128)
    yield "mount", lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, 0)
    yield "terminal", lambda: fcntl.ioctl(2, 0x5412, b"x")
    yield "write to frames", lambda: os.open(FRAMES, os.O_RDWR)
    yield "write into the mapping of frames", map_frames
    yield "replace frames", lambda: Path(FRAMES).unlink()
    yield "file outside", lambda: write(OUTSIDE)
    yield "configuration", lambda: write(os.environ["TAKEN_OVER_CONFIG"])
    yield "file in memory", lambda: write(f"/dev/shm/taken-over-{os.getpid()}")
    yield "core pattern", lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)
    yield "memory of the parent", read_memory
    yield "files of the parent", lambda: Path(f"/proc/{PARENT}/fd/0").readlink()
    yield "environment of the parent", lambda: Path(f"/proc/{PARENT}/environ").read_bytes()
    yield "signal to the parent", lambda: os.kill(PARENT, 0)
    yield "named pipe", lambda: os.mkfifo(Path(RESULT).with_name("pipe"))
    yield "symbolic link", lambda: Path(RESULT).with_name("link").symlink_to("/etc")


def attack() -> None:
    opened = []
    for name, attempt in attacks():
        with contextlib.suppress(OSError, ValueError):
            attempt()
            opened.append(name)
    Path(RESULT).write_text(json.dumps(opened))


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if RESULT and event == "import" and arguments[0] == "edge.look.capture_loop" and not Path(RESULT).exists():
        attack()


if RESULT:
    sys.addaudithook(watch)

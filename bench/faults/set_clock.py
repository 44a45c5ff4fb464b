"""A wall clock that can be set for some processes alone: a library that is loaded before the C library (ld.so(8))."""

import mmap
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SOURCE: Final = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);
static volatile long *offset;

__attribute__((constructor)) static void begin(void) {
  real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const char *path = getenv("CLOCK_OFFSET");
  int file = path ? open(path, O_RDONLY) : -1;
  if (file < 0) return;
  void *found = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
  if (found != MAP_FAILED) offset = found;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (!real) begin();
  int done = real(clock, now);
  if (!done && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset;
  return done;
}
"""


@dataclass(frozen=True, slots=True)
class WallClock:
    """The clock, and what a process needs in its environment to be shown it."""

    environment: dict[str, str]
    _seconds: mmap.mmap

    def set(self, ahead_seconds: int) -> None:
        """Set it so many seconds ahead of the machine's, or back."""
        self._seconds[:8] = struct.pack("=q", ahead_seconds)


def make(folder: Path) -> WallClock | None:
    """Build the library; None where no C compiler is there."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, library, seconds = folder / "clock.c", folder / "clock.so", folder / "clock.offset"
    source.write_text(_SOURCE, "ascii")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    seconds.write_bytes(bytes(8))
    with seconds.open("r+b") as file:
        shared = mmap.mmap(file.fileno(), 8)
    return WallClock({"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(seconds)}, shared)

"""A real PostgreSQL of our own: on a free loopback port, with its files in a folder that goes with it."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import psycopg

USER: Final = "wordcam"
PASSWORD: Final = "secret of this cluster"

START_SECONDS: Final = 60
"""It listens within a second on an idle machine; a busy one gets time."""


def find(program: str = "initdb") -> str | None:
    """Give the path of one of the server's programs; None where the server is not installed."""
    # Debian keeps them in a folder for each version, out of PATH.
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True
    )
    return shutil.which(program) or shutil.which(program, path=os.pathsep.join(map(str, folders)))


@dataclass
class Cluster:
    """One server, started by `with` or `start`, that can be stopped and started again on the same port.

    With `durable`, what is committed is on the disk, as in earnest; otherwise it is quick.
    """

    durable: bool = False
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="wordcam-postgresql-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self._make()
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop(signal.SIGQUIT)
        self._folder.cleanup()

    def url(self, database: str) -> str:
        """Give the address of a database, as `broker.yaml` takes it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, *, template: str = "template0") -> str:
        """Make a database, a copy of another one where it is named, and give its address."""
        with self.connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        """Open a connection in which every statement is a transaction."""
        return psycopg.connect(self.url(database), password=PASSWORD, autocommit=True)

    def start(self) -> None:
        """Start it and wait until it lets us in; raises `RuntimeError` with its log where it does not."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "on" if self.durable else "off",
            "max_connections": "50",
            "shared_buffers": "32MB",
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        program = find("postgres") or "postgres"
        with (self.folder / "log").open("ab") as log:
            self._process = self._spawn([program, "-D", str(self.folder / "data"), *arguments], log)
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError):
                self.connect("postgres").close()
                return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text('utf-8', 'replace')}")

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it at once, as an administrator in a hurry would: connections are cut. SIGQUIT leaves it untidy."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def _make(self) -> None:
        program = find()
        if program is None:
            raise RuntimeError("PostgreSQL's server is not installed: apt-get install postgresql")
        (self.folder / "password").write_text(PASSWORD, encoding="utf-8")
        if os.getuid() == 0:
            # It refuses to run as root; Debian makes this user with the package.
            user = pwd.getpwnam("postgres")
            for path in (self.folder, self.folder / "password"):
                os.chown(path, user.pw_uid, user.pw_gid)
        command = [program, "-D", str(self.folder / "data"), "-U", USER, "-A", "scram-sha-256", "--no-sync"]
        command += ["--pwfile", str(self.folder / "password"), "-E", "UTF8", "--locale=C.UTF-8"]
        with (self.folder / "log").open("ab") as log:
            if self._spawn(command, log).wait() != 0:
                raise RuntimeError(f"initdb failed:\n{(self.folder / 'log').read_text('utf-8', 'replace')}")

    def _spawn(self, command: list[str], log: BinaryIO) -> subprocess.Popen[bytes]:
        user = "postgres" if os.getuid() == 0 else None
        return subprocess.Popen(
            command, cwd=self.folder, stdout=log, stderr=log, user=user, group=user, extra_groups=[] if user else None
        )

"""What can be wrong with the outbox's file: each is one clear error, and loses nothing that was accepted."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import Misconfigured, OutboxDamaged, TryAgain
from edge.outbox import outbox as outbox_module
from edge.outbox.outbox import Outbox
from tests.edge.outbox.test_outbox import event

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite", max_captions=5) as made:
        yield made


_FILLER = """
import sys
from pathlib import Path
from edge.errors import DiskFull
from edge.outbox.outbox import Outbox
from tests.edge.outbox.test_outbox import event, waiting

path = Path(sys.argv[1]) / "outbox.sqlite"
accepted = []
with Outbox(path, 1_000_000) as box:
    try:
        while True:
            accepted.append(box.append(event).seq)
    except DiskFull as error:
        print(error)
    assert waiting(box) == accepted, "lost with the disk full"
    assert accepted
(path.parent / "ballast").unlink()
with Outbox(path, 1_000_000) as box:
    assert waiting(box) == accepted, "lost on opening again"
    assert box.append(event).seq == len(accepted)
    box.settle(stored=[found.id for found in box.waiting(limit=10)])
    assert waiting(box)[0] == 10
print(len(accepted), "kept")
"""


def test_a_full_disk_is_one_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=1m none {disk} && head -c 400k /dev/zero > {disk}/ballast"
    probe = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount]
    try:
        subprocess.run(probe, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this kernel lets no ordinary user mount a small disk: {error}")

    program = [*probe[:-1], f'{mount} && exec "$0" "$@"', sys.executable, "-c", _FILLER, str(disk)]
    done = subprocess.run(program, check=False, capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{disk}/outbox.sqlite: the disk is full; captions already accepted are kept")
    assert done.stdout.endswith("kept\n")


def test_a_database_locked_by_another_process_is_named(
    box: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "BUSY_SECONDS", 0.05)
    accepted = box.append(event)
    with Outbox(box.path, 5) as hurried:
        holder = sqlite3.connect(box.path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")

        with pytest.raises(TryAgain, match=r"outbox\.sqlite: locked by another process for 0\.05 s"):
            hurried.append(event)

        holder.execute("ROLLBACK")
        holder.close()
        assert [found.id for found in hurried.waiting(limit=9)] == [accepted.id]
        assert hurried.append(event).seq == 1


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(b"these are my holiday notes, not a database" * 99)

    with pytest.raises(OutboxDamaged, match=r"outbox\.sqlite: not an outbox, or a damaged one"):
        Outbox(path, 5)

    assert path.read_bytes().startswith(b"these are my holiday notes")


def test_an_outbox_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 9")
    other.close()

    with pytest.raises(Misconfigured, match=r"outbox\.sqlite: outbox version 9 is not 3"):
        Outbox(path, 5)


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    with Outbox(tmp_path / "none" / "below" / "outbox.sqlite", 5) as outbox:
        assert outbox.ledger().waiting == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(Misconfigured, match=r"outbox\.sqlite: .*must be able to write in its folder"):
        Outbox(tmp_path / "file" / "outbox.sqlite", 5)

"""The outbox: nothing that was accepted is lost, whatever happens to the process or the disk."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contract import caption
from contract.caption import Caption, Hazard
from edge.outbox.outbox import Outbox, Seen
from edge.outbox.uptime import Uptime

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0" + bytes(83_388)
"""As long as a real one that once left a device by its outbox."""


def danger(seq: int) -> Caption:
    return msgspec.structs.replace(event(seq), hazards=(Hazard("fire", 0.9, 0.9, NOW),))


def event(seq: int) -> Caption:
    return Caption(
        text=f"sentence {seq}",
        captured_at=NOW,
        site="lab",
        device="dev-1",
        stream="cam-0",
        confidence=0.5,
        model="tiny@0.1.0",
        seq=seq,
        id=f"event-{seq:06}",
        source=caption.source("lab", "dev-1", "cam-0"),
        time=NOW,
    )


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite", max_captions=5) as made:
        yield made


def waiting(box: Outbox) -> list[int]:
    return [found.seq for found in box.waiting(limit=1000)]


def test_a_caption_waits_until_it_is_acknowledged(box: Outbox) -> None:
    accepted = [box.append(event) for _ in range(3)]

    box.settle(stored=[accepted[1].id])

    assert waiting(box) == [0, 2]
    assert caption.decode(box.waiting(limit=1)[0].payload) == accepted[0]
    assert box.ledger().given_up == 0


def test_sequence_numbers_go_on_after_everything_was_acknowledged(box: Outbox) -> None:
    box.settle(stored=[box.append(event).id for _ in range(3)])

    assert box.append(event).seq == 3


def test_when_full_the_oldest_goes_and_is_counted(box: Outbox) -> None:
    for _ in range(7):
        box.append(event)

    assert waiting(box) == [2, 3, 4, 5, 6]
    assert (box.ledger().waiting, box.ledger().given_up, box.ledger().captions) == (5, 2, 7)


def test_when_full_dangers_go_last_and_by_age(box: Outbox) -> None:
    for kind in (danger, event, danger, event, event, danger, danger, danger, danger):
        box.append(kind)

    assert waiting(box) == [2, 5, 6, 7, 8]
    assert [found.seq for found in box.waiting(danger=False, limit=9)] == []
    assert box.ledger().given_up == 4


def test_the_bytes_that_wait_are_bounded_and_the_newest_stays(tmp_path: Path) -> None:
    size = len(caption.encode(event(0)))
    with Outbox(tmp_path / "small.sqlite", 1000, max_bytes=3 * size) as box:
        for _ in range(9):
            box.append(event)
        assert waiting(box) == [6, 7, 8]
        box.settle(stored=[event(7).id])
        box.append(event)
        assert waiting(box) == [6, 8, 9]
    with Outbox(tmp_path / "small.sqlite", 1000, max_bytes=1) as box:
        assert waiting(box) == [6, 8, 9]
        box.append(event)
        assert waiting(box) == [10]


@pytest.mark.parametrize(
    "statement", ["INSERT INTO caption (seq, id, payload) VALUES (9, 'x', ?)", "INSERT INTO report VALUES ('look', ?)"]
)
def test_a_picture_does_not_fit_into_the_tables(box: Outbox, statement: str) -> None:
    with sqlite3.connect(box.path) as other, pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        other.execute(statement, (JPEG,))
    other.close()


def test_a_picture_in_a_table_that_lost_its_checks_is_not_read(box: Outbox) -> None:
    put_picture(box.path, 9)

    (found,) = box.waiting(limit=9)

    assert (found.seq, found.payload) == (9, b"")


def put_picture(path: Path, seq: int) -> None:
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA ignore_check_constraints = ON")
        other.execute("INSERT INTO caption (seq, id, payload) VALUES (?, ?, ?)", (seq, f"event-{seq:06}", JPEG))
    other.close()


VERSION_1 = """
CREATE TABLE caption (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, payload BLOB NOT NULL);
CREATE TABLE ledger (one INTEGER PRIMARY KEY CHECK (one = 1), next_seq INTEGER NOT NULL DEFAULT 0,
  frames INTEGER NOT NULL DEFAULT 0, captions INTEGER NOT NULL DEFAULT 0, sent_bytes INTEGER NOT NULL DEFAULT 0,
  video_bytes REAL NOT NULL DEFAULT 0, waiting INTEGER NOT NULL DEFAULT 0, given_up INTEGER NOT NULL DEFAULT 0);
INSERT INTO ledger (one, next_seq, captions, frames) VALUES (1, 3, 3, 70);
CREATE TABLE report (process TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TRIGGER came AFTER INSERT ON caption BEGIN UPDATE ledger SET waiting = waiting + 1; END;
CREATE TRIGGER went AFTER DELETE ON caption BEGIN UPDATE ledger SET waiting = waiting - 1; END;
PRAGMA user_version = 1;
"""


def test_an_outbox_of_version_0_1_keeps_its_captions_and_counts_what_is_none(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with sqlite3.connect(path) as old:
        old.executescript(VERSION_1)
        rows = [(seq, event(seq).id, caption.encode(event(seq))) for seq in range(2)]
        old.executemany("INSERT INTO caption VALUES (?, ?, ?)", [*rows, (2, "picture", JPEG)])
        old.execute("INSERT INTO report VALUES ('look', ?)", (JPEG,))
    old.close()

    with Outbox(path, 100) as box:
        assert waiting(box) == [0, 1]
        assert box.append(event).seq == 3
        box.settle(stored=[event(0).id])
        ledger = box.ledger()

    assert (ledger.waiting, ledger.captions, ledger.frames, ledger.given_up) == (2, 4, 70, 1)
    assert ledger.not_schema == 2


def test_a_refused_caption_goes_and_is_counted(box: Outbox) -> None:
    refused = box.append(event).id
    box.append(event)

    box.settle(refused=[refused, "never heard of"])

    assert waiting(box) == [1]
    assert box.ledger().given_up == 1


def test_acknowledging_twice_is_no_error(box: Outbox) -> None:
    done = box.append(event).id
    box.settle(stored=[done])

    box.settle(stored=[done], refused=[done])

    assert (box.ledger().waiting, box.ledger().given_up) == (0, 0)


def test_the_ledger_adds_up(box: Outbox) -> None:
    box.append(event, Seen(3, 1000.5))
    box.count(Seen(2, 499.5))
    box.settle(sent_bytes=420)

    ledger = box.ledger()

    assert (ledger.frames, ledger.video_bytes, ledger.sent_bytes, ledger.captions) == (5, 1500, 420, 1)


def test_what_could_not_be_composed_leaves_no_trace(box: Outbox) -> None:
    def fail(seq: int) -> Caption:
        raise ValueError(seq)

    with pytest.raises(ValueError, match="0"):
        box.append(fail, Seen(1, 1.0))

    assert box.append(event).seq == 0
    assert box.ledger().frames == 0


def test_captions_are_given_in_order_from_any_place(box: Outbox) -> None:
    for _ in range(5):
        box.append(event)

    assert [found.seq for found in box.waiting(after=1, limit=2)] == [2, 3]


def test_the_other_process_notices_a_new_caption(box: Outbox) -> None:
    with Outbox(box.path, 5) as other:
        before = other.version()
        assert other.version() == before

        box.append(event)

        assert other.version() != before


def test_a_note_replaces_the_last_one(box: Outbox) -> None:
    assert box.reported("look") is None

    box.report("look", b"one")
    box.report("look", b"two")

    assert box.reported("look") == b"two"


_WRITER = """
import sys
from pathlib import Path
from edge.outbox.outbox import Outbox
from tests.edge.outbox.test_outbox import event

with Outbox(Path(sys.argv[1]), 1_000_000) as box:
    while True:
        print(box.append(event).seq, flush=True)
"""


@pytest.mark.parametrize("accepted", [1, 5, 40])
def test_what_was_accepted_survives_kill_9(tmp_path: Path, accepted: int) -> None:
    path = tmp_path / "outbox.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as writer:
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(accepted)]
        os.kill(writer.pid, signal.SIGKILL)
        said += [int(line) for line in writer.stdout]

    with Outbox(path, 1_000_000) as box:
        found = waiting(box)
        ledger = box.ledger()

    assert found[: len(said)] == said
    assert found == list(range(len(found)))
    assert (ledger.waiting, ledger.captions) == (len(found), len(found))


def test_two_users_of_one_group_may_share_the_file(tmp_path: Path) -> None:
    before = os.umask(0o007)
    try:
        with Outbox(tmp_path / "outbox.sqlite", 5) as box:
            box.append(event)
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)

    assert set(modes.values()) == {0o660}, modes


class Model(RuleBasedStateMachine):
    """The outbox against a list, through openings and closings."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="wordcam-outbox-"))
        self.box = Outbox(self.folder / "outbox.sqlite", 4)
        self.expected: list[int] = []
        self.written = self.lost = 0

    @rule()
    def append(self) -> None:
        self.expected.append(self.box.append(event).seq)
        self.written += 1
        self.lost += max(0, len(self.expected) - 4)
        self.expected = self.expected[-4:]

    @rule(seq=st.integers(0, 20), refuse=st.booleans())
    def settle(self, seq: int, refuse: bool) -> None:
        ids = [event(seq).id]
        self.box.settle(stored=[] if refuse else ids, refused=ids if refuse else [])
        self.lost += refuse and seq in self.expected
        self.expected = [known for known in self.expected if known != seq]

    @rule()
    def open_again(self) -> None:
        self.box.__exit__(None, None, None)
        self.box = Outbox(self.folder / "outbox.sqlite", 4)

    @invariant()
    def nothing_is_lost_uncounted(self) -> None:
        ledger = self.box.ledger()
        assert waiting(self.box) == self.expected
        assert (ledger.waiting, ledger.captions, ledger.given_up) == (len(self.expected), self.written, self.lost)

    def teardown(self) -> None:
        self.box.__exit__(None, None, None)
        shutil.rmtree(self.folder)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


def test_how_long_a_caption_has_waited_is_known_whatever_the_clock_shows(tmp_path: Path) -> None:
    moments = iter([Uptime("a", 100.0), Uptime("a", 160.5), Uptime("b", 5000.0), Uptime("a", 90.0)])
    with Outbox(tmp_path / "outbox.sqlite", 10, uptime_now=lambda: next(moments)) as box:
        box.append(event)

        ages = [box.waiting(limit=1)[0].age_seconds for _ in range(3)]

    assert ages == [60.5, None, None], "after a restart nobody knows"


def test_an_outbox_of_version_2_keeps_its_captions(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with Outbox(path, 100) as box:
        box.append(event)
    with sqlite3.connect(path) as old:
        old.execute("ALTER TABLE caption DROP COLUMN boot")
        old.execute("ALTER TABLE caption DROP COLUMN uptime_seconds")
        old.execute("PRAGMA user_version = 2")
    old.close()

    with Outbox(path, 100) as box:
        assert [row.age_seconds for row in box.waiting(limit=9)] == [None]
        assert box.append(event).seq == 1

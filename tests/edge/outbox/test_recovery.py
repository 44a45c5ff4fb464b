"""An outbox that a power cut has damaged."""

from pathlib import Path

import pytest

from edge.errors import OutboxDamaged, TryAgain
from edge.outbox.outbox import Outbox
from edge.outbox.recovery import open_outbox
from tests.edge.outbox.test_outbox import event

PAGE = 4096


def damage(path: Path) -> None:
    """Overwrite the pages of the tables, and leave the header."""
    data = bytearray(path.read_bytes())
    data[PAGE:] = b"\xa5" * (len(data) - PAGE)
    path.write_bytes(data)


def filled(path: Path) -> Path:
    with open_outbox(path, 100) as box:
        for _ in range(60):
            box.append(event)
    return path


def test_a_whole_outbox_is_opened_as_it_is(tmp_path: Path) -> None:
    with open_outbox(filled(tmp_path / "outbox.sqlite"), 100) as box:
        assert box.ledger().waiting == 60

    assert not list(tmp_path.glob("*damaged*"))


def test_a_damaged_outbox_is_set_aside_and_a_new_one_begun_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "outbox.sqlite"
    for number in (1, 2, 3):
        damage(filled(path))
        with open_outbox(path, 100) as box:
            assert box.append(event).seq == 0
            assert box.ledger().set_aside == number

    assert caplog.messages == ["outbox set aside"] * 3
    assert sorted(found.name for found in tmp_path.glob("*.damaged-*")) == [
        "outbox.sqlite.damaged-2",
        "outbox.sqlite.damaged-3",
    ]


@pytest.mark.parametrize("left", [b"my holiday notes " * 99, b"SQLite format 3\0" + bytes(5000)])
def test_what_is_no_outbox_is_kept_under_another_name(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(left)

    with open_outbox(path, 100) as box:
        box.append(event)

    assert (tmp_path / "outbox.sqlite.damaged-1").read_bytes() == left


def test_damage_that_is_found_at_work_ends_the_process_to_begin_anew(tmp_path: Path) -> None:
    path = filled(tmp_path / "outbox.sqlite")
    damage(path)

    with pytest.raises(OutboxDamaged, match="the next start sets it aside"), Outbox(path, 100) as box:
        box.waiting(limit=100)


def test_the_other_process_writes_no_longer_to_a_file_that_was_set_aside(tmp_path: Path) -> None:
    path = filled(tmp_path / "outbox.sqlite")
    with Outbox(path, 100) as other:
        path.rename(tmp_path / "aside")
        with open_outbox(path, 100), pytest.raises(TryAgain, match="another file is there now"):
            other.append(event)

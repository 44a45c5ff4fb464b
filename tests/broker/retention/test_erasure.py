"""Deletes on request: counted first, whole, and without leaving what was deleted anywhere else."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import select

from broker.cli import main
from broker.incidents import store
from broker.incidents.responses import resolve
from broker.ingest import rejections
from broker.ingest.decoder import Rejection
from broker.notify import replies
from broker.notify.translation import cache
from broker.retention import audit
from broker.store import search
from broker.store.engine import reading, writing
from broker.store.search import Question
from broker.store.selection import Scope
from broker.store.tables import core
from broker.store.tables.messaging import reply
from broker.web import search_terms
from tests.broker.device import NOON, event, said
from tests.broker.running_service import write_config
from tests.broker.scene import Scene

PHONE = "+12025550143"

SECRET = "zanzibar"
"""A word that stands nowhere else in the file."""


class Run(Protocol):
    """Runs one command, and gives what it says: its answer, or its complaint where it fails."""

    def __call__(self, *words: str, code: int = 0) -> str: ...


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Scene]:
    write_config(tmp_path)
    made = Scene(tmp_path)
    yield made
    made.close()


@pytest.fixture
def run(room: Scene, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def run(*words: str, code: int = 0) -> str:
        assert main.main([*words, "--config", str(room.folder / "broker.yaml")]) == code
        said = capfdbinary.readouterr()
        return (said.out if code == 0 else said.err).decode("utf-8-sig")

    return run


def texts(room: Scene) -> list[str]:
    with reading(room.engine) as connection:
        return list(connection.scalars(select(core.caption.c.text).order_by(core.caption.c.id)))


def told_of_a_gun(room: Scene) -> None:
    """Let a camera say a sentence with the secret word, a guard be told of it, and the incident end."""
    room.say(f"a man from {SECRET} with a gun")
    room.deliver()
    with writing(room.engine) as connection:
        connection.execute(core.alert.update().values(text=f"ALERT a man from {SECRET}"))
        cache.keep(connection, ("deepl", "ko", f"a man from {SECRET} with a gun"), SECRET, at=room.now, limit=9)
        search.index(connection, [search_terms.entry(one, "") for one in search.unindexed(connection, limit=9)])
    room.do(resolve, 1, by="guard", how="console")
    room.walk()
    room.deliver()


def test_without_yes_it_only_counts(run: Run, room: Scene) -> None:
    room.say("a man walks")
    room.say("a dog runs", site="pier")

    answer = run("forget", "--site", "pier")

    assert answer == "site=pier:\n  1 sentences\nnothing is deleted yet; add --yes\n"
    assert texts(room) == ["a man walks", "a dog runs"]
    with reading(room.engine) as connection:
        assert audit.newest(connection) == []


def test_a_place_and_a_time_are_forgotten_and_nothing_beside_them(run: Run, room: Scene) -> None:
    for hour, text in enumerate(("one", "two", "three", "four")):
        room.clock.now = NOON + timedelta(hours=hour)
        room.say(text)
        room.say(f"{text} elsewhere", site="pier")

    answer = run(
        "forget",
        "--site",
        "north-gate",
        "--from",
        "2026-03-14T13:00",
        "--to",
        "2026-03-14T15:00",
        "--yes",
        "--by",
        "kim",
    )

    assert "2 sentences\ndeleted\n" in answer
    assert texts(room) == ["one", "one elsewhere", "two elsewhere", "three elsewhere", "four", "four elsewhere"]


def test_nothing_of_a_forgotten_sentence_is_left_in_the_file(run: Run, room: Scene) -> None:
    told_of_a_gun(room)
    room.say("a man walks")
    assert SECRET.encode() in whole(room)

    answer = run("forget", "--site", "north-gate", "--yes")

    assert "1 text messages" in answer
    assert SECRET.encode() not in whole(room)
    with reading(room.engine) as connection:
        assert search.find(connection, Question(search_terms.asked(SECRET))) == []
        kinds = [one.kind.value for one in store.timeline(connection, 1)]
    assert kinds[:2] == ["opened", "told"], "that there was an incident stays"


def whole(room: Scene) -> bytes:
    """Return every byte of the database, of its log and of its index."""
    return b"".join(path.read_bytes() for path in sorted(room.folder.glob("wordcam.db*")))


def test_what_goes_on_is_not_forgotten_yet(run: Run, room: Scene) -> None:
    room.say("a man with a gun")
    room.say("a man walks")

    answer = run("forget", "--everything", "--yes")

    stays = "1 stay for now: an incident is open, or a notification is still to be sent"
    assert answer == f"everything:\n  1 sentences\n  {stays}\ndeleted\n"
    assert texts(room) == ["a man with a gun", ""]
    assert room.deliver() == ["first to guard"]


def test_the_audit_log_tells_who_and_how_much_and_not_what(run: Run, room: Scene) -> None:
    told_of_a_gun(room)

    run("forget", "--site", "north-gate", "--device", "pi-01", "--yes", "--by", "kim")

    with reading(room.engine) as connection:
        (entry,) = audit.newest(connection)
    assert (entry.actor, entry.address, entry.action) == ("kim", "terminal", "forget")
    assert (entry.subject, entry.detail) == ("site=north-gate device=pi-01", "1 sentences")


def test_many_sentences_go_in_small_transactions(run: Run, room: Scene) -> None:
    room.processor.process([said(event(seq=number, captured_at=room.now)) for number in range(100, 950)])

    assert "850 sentences" in run("forget", "--everything", "--yes")
    assert texts(room) == [""]


def test_a_number_is_taken_out_of_everything_that_is_done(run: Run, room: Scene) -> None:
    told_of_a_gun(room)
    answer = {"provider": "twilio", "provider_id": "SM1", "at": room.now, "phone": PHONE, "recipient": "guard"}
    with writing(room.engine) as connection:
        replies.add(connection, answer | {"text": "ok kim", "meaning": "unknown", "effect": "none"})
        sample = f"Body=x From={PHONE} To=y".encode()
        rejections.count(connection, Rejection("unknown-number", "", "twilio/reply", sample, None, None), at=room.now)
    assert "nothing is deleted yet" in run("forget", "--phone", "+1 202 555 0143")

    said = run("forget", "--phone", "+1 202 555 0143", "--yes", "--by", "kim")

    assert said == "  1 text messages\n  1 answers\n  1 samples of refused messages\ndeleted\n"
    with reading(room.engine) as connection:
        (line,) = audit.newest(connection)
        assert [(row.phone, row.text) for row in connection.execute(select(reply))] == [("", "")]
    assert (line.subject, line.detail) == ("a telephone number", "1 messages, 1 replies, 1 samples")
    assert b"12025550143" not in whole(room)


def test_a_number_that_has_still_to_be_told_stays(run: Run, room: Scene) -> None:
    room.say("a man with a gun")

    answer = run("forget", "--phone", PHONE, "--yes")

    assert "1 stay for now" in answer
    assert room.deliver() == ["first to guard"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "forget: what? Name --site, --from, --to or --phone"),
        (("--device", "pi-01"), "a device is known by its site: name both"),
        (("--everything", "--site", "a"), "forget: what?"),
        (("--phone", PHONE, "--site", "a"), "a number is forgotten everywhere"),
        (("--phone", "0143"), "--phone '0143' is not an international telephone number"),
        (("--from", "yesterday"), "--from yesterday: no time; write it like 2026-03-13T22:00"),
        (("--from", "2026-03-14", "--to", "2026-03-13"), "the end is not after the beginning"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_a_wish_that_says_too_little_or_too_much_is_refused(run: Run, words: tuple[str, ...], problem: str) -> None:
    assert problem in run("forget", *words, "--yes", code=78)


def test_all_that_was_said_is_written_as_a_table(run: Run, room: Scene) -> None:
    room.processor.process([said(event(seq=number, captured_at=room.now)) for number in range(100, 1300)])
    room.say("=1+1 a man with a gun")
    room.say("elsewhere", site="pier")

    rows = list(csv.DictReader(io.StringIO(run("export", "--site", "north-gate"))))

    assert len(rows) == 1201
    assert (rows[-1]["text"], rows[-1]["rules"], rows[-1]["outcomes"]) == ("'=1+1 a man with a gun", "gun", "first")
    assert {row["site"] for row in rows} == {"north-gate"}


def test_all_that_was_said_is_written_as_lines(run: Run, room: Scene) -> None:
    room.say("a man with a gun")
    room.clock.now += timedelta(hours=1)
    room.say("= a dog runs", site="pier")
    file = room.folder / "out.jsonl"

    assert run("export", "--format", "jsonl", "--out", str(file)) == ""

    first, second = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
    assert (first["site"], first["text"], first["captured_at"]) == (
        "north-gate",
        "a man with a gun",
        "2026-03-14T03:00:00Z",
    )
    assert first["decisions"] == [
        {"rule": "gun", "outcome": "first", "because": first["decisions"][0]["because"], "incident": 1}
    ]
    assert (second["site"], second["text"]) == ("pier", "= a dog runs")


def test_an_export_of_a_stretch_of_time_holds_nothing_else(run: Run, room: Scene) -> None:
    for hour, text in enumerate(("one", "two", "three")):
        room.clock.now = NOON + timedelta(hours=hour)
        room.say(text)

    said = run("export", "--format", "jsonl", "--from", "2026-03-14T13:00", "--to", "2026-03-14T14:00")

    assert [json.loads(line)["text"] for line in said.splitlines()] == ["two"]
    with reading(room.engine) as connection:
        (entry,) = audit.newest(connection)
    assert (entry.action, entry.address, entry.detail) == ("export", "terminal", "1 sentences")


def test_a_file_that_cannot_be_written_is_named(run: Run, room: Scene) -> None:
    assert "--out /nowhere/x.csv: No such file" in run("export", "--out", "/nowhere/x.csv", code=78)


def test_a_scope_of_everything_is_known_as_such() -> None:
    assert Scope().is_everything
    assert not Scope(site="a").is_everything

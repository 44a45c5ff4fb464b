"""What people see in the terminal."""

import io
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from rich.console import Console

from broker.cli.watch import Watch
from broker.config import broker as config_file
from broker.config.broker import Language
from broker.config.sites import Places
from broker.notify.message.texts import byte_size
from broker.rules import compiler
from broker.store import migrate
from broker.store.engine import open_database
from contract.status import Ledger
from testing.waiting import wait_until
from tests.broker.device import GUARD, NOON, Clock, event, said, stated, status
from tests.broker.running_service import RULES, write_config
from tests.broker.scene import make_processor


class Terminal:
    """A database, a service that fills it, and a watcher of it."""

    def __init__(self, folder: Path, *, colour: bool = False, language: Language = "en") -> None:
        config = config_file.load(write_config(folder))
        self.database = config.database
        self.out = io.StringIO()
        colours: Literal["standard"] | None = "standard" if colour else None
        console = Console(file=self.out, force_terminal=colour, width=200, highlight=False, color_system=colours)
        self.watch = Watch(self.database, Places.of(config), language, console)

    def receive(self, *messages: Any) -> None:
        """Take messages in, as the service does."""
        engine = open_database(self.database)
        migrate.require_current(engine)
        make_processor(engine, compiler.load(RULES), [GUARD], clock=Clock(NOON + timedelta(seconds=1))).process(
            messages
        )
        engine.dispose()

    def shown(self, back: int = 20) -> str:
        """Look once, and return what is on the screen."""
        self.watch.run(back=back, follow=False)
        return self.out.getvalue()


def test_a_caption_is_one_plain_line_where_there_is_no_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.receive(said(event("a man walks")))

    assert terminal.shown() == "12:00:00 North Gate, Device 1, Lobby camera  a man walks  0.80\n"


def test_dangers_and_their_reasons_are_marked(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.receive(said(event("a gun")), said(event("a gun", seq=1)), said(event("a fire hydrant", seq=2)))

    lines = terminal.shown().splitlines()

    assert [line.partition("camera  ")[2] for line in lines] == [
        "a gun  0.80  [fires: gun, notified]",
        "a gun  0.80  [fires: gun, waiting]",
        "a fire hydrant  0.80  [fire cancelled: only in 'fire hydrant']",
    ]


def test_the_ledger_tells_words_from_video(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.receive(stated(status(ledger=Ledger(captions=3, sent_bytes=2_100, video_bytes=21_000_000))))

    assert terminal.shown() == (
        "North Gate, Device 1: online, 3 captions, 2.1 kB of words in place of 21.0 MB of video (10,000 times less)\n"
    )


def test_before_the_first_caption_words_and_video_are_not_compared(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.receive(stated(status(ledger=Ledger())))

    assert terminal.shown() == "North Gate, Device 1: online, 0 captions\n"


def test_korean_is_spoken_too(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, language="ko")
    terminal.receive(said(event("a gun")), stated(status(ledger=Ledger(sent_bytes=1, video_bytes=9))))

    assert terminal.shown() == (
        "12:00:00 북문 1호기 현관 카메라  a gun  0.80  [경보: gun, 알림 보냄]\n"
        "북문 1호기: 연결됨, 문장 0개, 영상 9 B 대신 문장 1 B (9배 절약)\n"
    )


def test_a_terminal_gets_colours(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, colour=True)
    terminal.receive(said(event("a gun")))

    assert "\x1b[1;31ma gun" in terminal.shown()


def test_marks_in_a_caption_are_only_text(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.receive(said(event("[bold red]a man[/] :skull: \u202eend")))

    assert "[bold red]a man[/] :skull: end" in terminal.shown()


def test_only_the_last_captions_are_shown_first(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.receive(*(said(event(f"sentence {number}", seq=number)) for number in range(30)))

    shown = terminal.shown(back=2)

    assert "sentence 28" in shown
    assert "sentence 27" not in shown


def test_new_captions_appear_while_watching(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    stop = threading.Event()
    watching = threading.Thread(target=terminal.watch.run, kwargs={"back": 5, "follow": True, "stopped": stop.is_set})
    watching.start()
    wait_until(lambda: "start `wordcam-broker run`" in terminal.out.getvalue(), "waiting for the database")
    terminal.receive(said(event("first")))
    wait_until(lambda: "first" in terminal.out.getvalue(), "the first caption")
    terminal.receive(said(event("second", seq=1)))
    wait_until(lambda: "second" in terminal.out.getvalue(), "the second caption")
    stop.set()
    watching.join()

    assert terminal.out.getvalue().count("first") == 1


def test_without_a_database_one_look_says_so(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)

    assert terminal.shown() == "No captions yet.\n"
    assert not (tmp_path / "wordcam.db").exists()


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (2_000_000_000_000, "2.0 TB")],
)
def test_sizes_read_well(count: int, text: str) -> None:
    assert byte_size(count) == text

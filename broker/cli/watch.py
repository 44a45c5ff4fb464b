"""Shows captions in the terminal as they come, dangers marked, with the bytes of words against the bytes of video."""

import argparse
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text
from sqlalchemy import Engine

from broker.cli.signals import stop_on_signal
from broker.config import broker as config_file
from broker.config.broker import Language
from broker.config.database import Database
from broker.config.errors import Locked
from broker.config.sites import Places
from broker.incidents.presence import devices
from broker.notify.message import reason_texts, segments, texts
from broker.notify.message.texts import Words
from broker.store import captions, migrate
from broker.store.captions import Heard
from broker.store.engine import open_database, reading
from broker.store.migrate import Age
from broker.store.outcome import Outcome
from contract.status import Ledger, State

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.3
"""Between two queries for more: people see no delay."""

AT_ONCE: Final = 500
"""Captions read in one go."""


def run(arguments: argparse.Namespace) -> int:
    """Show captions until stopped; raises `Misconfigured` or `Unavailable`."""
    config = config_file.load(arguments.config)
    watch = Watch(config.database, Places.of(config), config.language, Console(file=sys.stdout, highlight=False))
    stop = threading.Event()
    stop_on_signal(stop.set)
    log.info("watching")
    watch.run(back=arguments.last, follow=not arguments.once, stopped=stop.is_set)
    return 0


@dataclass(frozen=True, slots=True)
class Watch:
    """One reader of the database; it never writes, and works while the service runs."""

    database: Database
    places: Places
    language: Language
    console: Console

    def run(self, *, back: int, follow: bool, stopped: Callable[[], bool] = lambda: False) -> None:
        """Show the last `back` captions and, with `follow`, all later ones until `stopped`."""
        said = texts.of(self.language)
        engine = self._wait(said, follow=follow, stopped=stopped)
        if engine is None:
            self.console.print(said.no_captions_yet)
            return
        foot = Live(console=self.console, auto_refresh=False, transient=False)
        with foot if self.console.is_terminal and follow else nullcontext():
            last = ""
            for lines, ledger in self._looks(engine, back, follow=follow, stopped=stopped):
                for line in lines:
                    self._say(line)
                if self.console.is_terminal and follow:
                    foot.update(Group(*(Text(line, style="dim") for line in ledger)), refresh=True)
                elif "\n".join(ledger) != last:
                    last = "\n".join(ledger)
                    self._say(Text(last, style="dim"))

    def _say(self, line: Text) -> None:
        self.console.print(line, soft_wrap=True)

    def _wait(self, said: Words, *, follow: bool, stopped: Callable[[], bool]) -> Engine | None:
        """Wait until the service has made the database; None where it is not there and waiting is not wanted."""
        announced = False
        while not stopped():
            if self.database.path is None or self.database.path.exists():
                engine = open_database(self.database)
                if migrate.age(engine) is Age.CURRENT:
                    return engine
                engine.dispose()
            if not follow:
                return None
            if not announced:
                self.console.print(said.waiting_for_database.format(path=self.database.name), soft_wrap=True)
                announced = True
            time.sleep(LOOK_SECONDS)
        return None

    def _looks(
        self, engine: Engine, back: int, *, follow: bool, stopped: Callable[[], bool]
    ) -> Iterator[tuple[list[Text], list[str]]]:
        """Give, look by look, the new captions and the ledger of every device."""
        shown: int | None = None
        while True:
            ending = stopped()  # before the look, so that what came until then is still shown
            try:
                with reading(engine) as connection:
                    start = captions.newest_id(connection, back=back) if shown is None else shown
                    heard = captions.after(connection, start, limit=AT_ONCE)
                    states = devices.states(connection)
            except Locked:
                heard, states, start = [], {}, shown or 0
            shown = heard[-1].id if heard else start
            yield [self._line(caption) for caption in heard], list(self._ledger(states))
            if len(heard) < AT_ONCE and (ending or not follow):
                engine.dispose()
                return
            if len(heard) < AT_ONCE:
                time.sleep(LOOK_SECONDS)

    def _line(self, caption: Heard) -> Text:
        said = texts.of(self.language)
        at = self.places.local(caption.captured_at, caption.site)
        place = self._place(caption.site, caption.device, caption.stream)
        line = Text.assemble((f"{at:%H:%M:%S} ", "dim"), (f"{place}  ", "cyan"))
        fired = [decision for decision in caption.decisions if decision.outcome != Outcome.CANCELLED]
        line.append(segments.plain(caption.text), style="bold red" if fired else "")
        line.append(f"  {caption.confidence:.2f}", style="dim")
        for decision in caption.decisions:
            if decision.outcome == Outcome.CANCELLED:
                line.append(
                    f"  [{decision.rule} {said.cancelled}: {reason_texts.say(decision.because, self.language)}]",
                    style="yellow",
                )
            else:
                outcome = said.notified if Outcome(decision.outcome).notifies else decision.outcome
                line.append(f"  [{said.fired}: {decision.rule}, {outcome}]", style="bold white on red")
        return line

    def _ledger(self, states: dict[tuple[str, str], tuple[State, Ledger]]) -> Iterator[str]:
        said = texts.of(self.language)
        for (site, device), (state, ledger) in states.items():
            line = said.device.format(
                place=self._place(site, device),
                state=said.online if state is State.ONLINE else said.offline,
                captions=ledger.captions,
            )
            if ledger.sent_bytes:  # before the first caption there is nothing to compare
                line += ", " + said.ledger.format(
                    words=texts.byte_size(ledger.sent_bytes),
                    video=texts.byte_size(ledger.video_bytes),
                    ratio=f"{ledger.video_bytes / ledger.sent_bytes:,.0f}",
                )
            yield line

    def _place(self, *ids: str) -> str:
        names = (self.places.name(*ids[: end + 1], language=self.language) for end in range(len(ids)))
        return texts.of(self.language).between_places.join(names)

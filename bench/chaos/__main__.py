"""Kills alert services at random, again and again: `python -m bench.chaos`, or `make faults`.

Real processes on a real database, a real MQTT server between them and the cameras, a gateway that is slow and unsure.
Mostly the leader is killed; with `--freezes`, it is sometimes frozen until another instance has taken over. At the
end every caption must be in the database once, and every message must have been taken by the gateway once.
"""

import argparse
import json
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import Engine, func, select

from bench.chaos import instances, reconciliation
from bench.chaos.instances import Instance, Nursery
from bench.chaos.publishers import Crowd
from bench.chaos.unreliable import unreliable
from broker.config.database import DATABASE_PASSWORD, Database
from broker.config.errors import Locked
from broker.service import lease as leases
from broker.service.lease import Lease
from broker.store import migrate
from broker.store.engine import open_database, reading
from broker.store.tables import core
from testing.fake_twilio import FakeTwilio
from testing.mosquitto import Mosquitto
from testing.postgresql import PASSWORD, Cluster

log = logging.getLogger(__name__)

LIMIT_SECONDS: Final = 10.0
"""A take-over is to be over within this."""

ACTIVE: Final = 0.75
"""Share of the kills that hit the leader; the others hit an instance that stands by."""

AT_ONCE: Final = 0.15
"""Share of those killed that are started again before another one may have taken over."""

FROZEN_SECONDS: Final = 8.0
"""Longer than another instance waits for a sign of life."""

DRAIN_SECONDS: Final = 300
"""At the end, what is under way gets so long to come to its end."""


@dataclass(frozen=True, slots=True)
class Blow:
    """One kill, and what came of it."""

    victim: str
    active: bool
    successor: str = ""
    """The next leader; "" if an instance that stood by was killed."""
    seconds: float = 0.0


@dataclass
class Fight:
    """A site with several instances, of which one after the other is killed."""

    engine: Engine
    services: list[Instance]
    chance: random.Random
    blows: list[Blow] = field(default_factory=list)
    freezes_per_kill: float = 0.0
    freezes: int = 0

    def strike(self) -> None:
        """Kill one at a random moment, see who takes over, and start it again."""
        if self.chance.random() < self.freezes_per_kill:
            self._freeze()
        time.sleep(self.chance.uniform(0.1, 2.5))
        active, others = self._roles()
        while not any(one.is_ready for one in others):
            time.sleep(0.05)
            active, others = self._roles()
        lease = self._lease()
        victim = active if self.chance.random() < ACTIVE else self.chance.choice(others)
        at_once = self.chance.random() < AT_ONCE
        victim.kill()
        started = time.monotonic()
        if at_once:
            time.sleep(self.chance.uniform(0, 1))
            victim.start()
        if victim is active:
            successor = self._successor(lease)
            self.blows.append(Blow(victim.name, True, successor, time.monotonic() - started))
        else:
            self.blows.append(Blow(victim.name, False))
        time.sleep(self.chance.uniform(0, 1))
        if not at_once:
            victim.start()

    def _freeze(self) -> None:
        active, _ = self._roles()
        active.send_signal(signal.SIGSTOP)
        time.sleep(FROZEN_SECONDS)
        active.send_signal(signal.SIGCONT)
        self.freezes += 1

    def _roles(self) -> tuple[Instance, list[Instance]]:
        """Return the leader and the others."""
        holder = self._lease().holder
        active = next((one for one in self.services if one.name == holder), self.services[0])
        return active, [one for one in self.services if one is not active]

    def _successor(self, before: Lease) -> str:
        deadline = time.monotonic() + instances.START_SECONDS
        while time.monotonic() < deadline:
            lease = self._lease()
            if lease.holder and lease.token > before.token:
                return lease.holder
            time.sleep(0.02)
        raise RuntimeError("no instance has taken over")

    def _lease(self) -> Lease:
        while True:
            try:
                with reading(self.engine) as connection:
                    return leases.read(connection)
            except Locked:
                time.sleep(0.05)

    def drain(self, crowd: Crowd) -> None:
        """Wait until nothing is under way any more; what is left is found by the verdict."""
        deadline = time.monotonic() + DRAIN_SECONDS
        quiet_since = time.monotonic()
        while time.monotonic() < deadline and time.monotonic() - quiet_since < 3:
            unanswered, under_way = crowd.waiting, self._under_way()
            if unanswered or under_way:
                quiet_since = time.monotonic()
                log.info("%d captions unanswered, %d messages and incidents under way", unanswered, under_way)
            time.sleep(1)

    def _under_way(self) -> int:
        alert, incident = core.alert, core.incident
        open_ = alert.c.state.in_(("waiting", "sending", "doubt", "held"))
        with reading(self.engine) as connection:
            messages = connection.execute(select(func.count()).select_from(alert).where(open_)).scalar_one()
            going_on = select(func.count()).select_from(incident).where(incident.c.open_key.is_not(None))
            return int(messages + connection.execute(going_on).scalar_one())


@contextmanager
def database(kind: str, folder: Path) -> Iterator[dict[str, str]]:
    """Provide the part `database` of the configuration."""
    if kind == "sqlite":
        yield {"path": str(folder / "wordcam.db")}
        return
    with Cluster(durable=True) as cluster:
        yield {"url": cluster.create("wordcam")}


def run(options: argparse.Namespace, folder: Path, console: Console) -> dict[str, Any]:
    """Fight it out, and return what happened as it is printed with `--json`."""
    chance = random.Random(options.seed)
    with ExitStack() as stack:
        where = stack.enter_context(database(options.database, folder))
        mqtt = stack.enter_context(Mosquitto(folder, lines=("max_queued_messages 0",), verbose=False))
        twilio = stack.enter_context(FakeTwilio(treat=unreliable(random.Random(options.seed + 1))))
        nursery = stack.enter_context(Nursery({DATABASE_PASSWORD: PASSWORD}))
        names = tuple(f"instance-{letter}" for letter in "abcdefgh"[: options.instances])
        configs = instances.write(folder, names, where, port=mqtt.port, url=twilio.url)
        services = [Instance(config.stem, config, nursery) for config in configs]
        os.environ[DATABASE_PASSWORD] = PASSWORD
        engine = open_database(msgspec.convert(where, Database, dec_hook=lambda kind, value: kind(value)))
        stack.callback(engine.dispose)
        migrate.require_current(engine)
        for one in services:
            one.start()
            stack.callback(one.kill)
        for one in services:
            one.wait_ready()
        crowd = stack.enter_context(
            Crowd(mqtt.port, options.rate, options.danger_every, random.Random(options.seed + 2))
        )
        fight = Fight(engine, services, chance, freezes_per_kill=options.freezes)
        started = time.monotonic()
        with _progress(console) as progress:
            task = progress.add_task("kills", total=options.kills)
            for number in range(options.kills):
                fight.strike()
                progress.advance(task)
                log.info("%d of %d: %s", number + 1, options.kills, fight.blows[-1])
            crowd.hush()
            fight.drain(crowd)
        stopped = [one.stop() for one in services]
        found = reconciliation.judge(engine, crowd, twilio)
        return _report(options, fight, found, time.monotonic() - started) | {"stopped": all(stopped)}


def _report(options: argparse.Namespace, fight: Fight, found: reconciliation.Verdict, seconds: float) -> dict[str, Any]:
    by_other = [blow.seconds for blow in fight.blows if blow.active and blow.successor != blow.victim]
    by_itself = [blow.seconds for blow in fight.blows if blow.active and blow.successor == blow.victim]
    return {
        "database": options.database,
        "instances": options.instances,
        "seed": options.seed,
        "kills": len(fight.blows),
        "kills_of_the_active": sum(blow.active for blow in fight.blows),
        "freezes": fight.freezes,
        "take_over_seconds": spread(by_other),
        "restart_seconds": spread(by_itself),
        "within_limit": all(taken <= LIMIT_SECONDS for taken in by_other),
        "minutes": round(seconds / 60, 1),
        **asdict(found),
        "good": found.good,
    }


def spread(times: Sequence[float]) -> dict[str, float]:
    """Return the number, the least, the middle, the 95th of a hundred and the most of some times."""
    ordered = sorted(times)
    if not ordered:
        return {"count": 0}
    places = {"min": 0.0, "median": 0.5, "p95": 0.95, "max": 1.0}
    taken = {name: round(ordered[round(share * (len(ordered) - 1))], 2) for name, share in places.items()}
    return {"count": len(ordered)} | taken


def table(found: dict[str, Any]) -> Table:
    """Draw what happened."""
    title = f"{found['kills']} kills, {found['instances']} instances on {found['database']}, {found['minutes']} minutes"
    drawn = Table(title=title, title_justify="left", title_style="bold")
    for column in ("what", "number", "aim"):
        drawn.add_column(column, justify="left" if column == "what" else "right")
    for name in ("take_over_seconds", "restart_seconds"):
        aim = {"max": f"at most {LIMIT_SECONDS:g}"} if name == "take_over_seconds" else {}
        for part, value in found[name].items():
            drawn.add_row(f"{name.replace('_', ' ')}, {part}", f"{value:g}", aim.get(part, ""))
    for name in ("kills_of_the_active", "freezes", "captions", "repeats", "dangers", "intents", "asked"):
        drawn.add_row(name.replace("_", " "), f"{found[name]}", "")
    for name in reconciliation.WRONG:
        style = "bold red" if found[name] else ""
        drawn.add_row(name.replace("_", " "), f"{found[name]}", "0", style=style)
    return drawn


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def main(argv: Sequence[str] | None = None) -> int:
    """Fight, and print the table: 0 where nothing was lost or doubled and every take-over was quick enough, else 1."""
    options = _options(argv)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(asctime)s %(message)s")
    aside = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="wordcam-faults-") as made:
        folder = options.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            found = run(options, folder, aside)
        except RuntimeError as error:
            print(f"faults: {error}", file=sys.stderr)
            return 75
    if options.json:
        print(json.dumps(found))
    else:
        Console().print(table(found))
    return 0 if found["good"] and found["within_limit"] else 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=(__doc__ or "").partition(": ")[0] + ".")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite", help="default: %(default)s")
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--instances", type=int, choices=range(2, 9), default=2, metavar="N", help="2 to 8 (%(default)s)"
    )
    parser.add_argument("--rate", type=float, default=20, metavar="N", help="captions per second (%(default)s)")
    parser.add_argument(
        "--danger-every", type=int, default=40, metavar="N", help="one caption in so many (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of chance (%(default)s)")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="work in this folder, and leave logs and database there"
    )
    parser.add_argument("--freezes", type=float, default=0, metavar="SHARE", help="freezes for each kill (%(default)s)")
    parser.add_argument("--verbose", action="store_true", help="a line for each kill, on standard error")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of a table")
    return parser.parse_args(argv)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    sys.exit(main())

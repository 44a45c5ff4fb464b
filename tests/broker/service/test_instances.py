"""Several instances as processes, on either database: one of them tells people, whatever happens to it."""

import signal
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import select

from broker.config.database import Database
from broker.store.engine import open_database, reading
from broker.store.tables import core
from testing.fake_http import Behaviour
from testing.fake_twilio import FakeTwilio
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.broker.device import FakeDevice, event
from tests.broker.running_service import Running, write_config


class Pair:
    """Two instances that share one database and the captions, and a camera; the first is on duty."""

    def __init__(self, folder: Path, database: Database, server: Mosquitto) -> None:
        self.folder, self.database, self.server = folder, database, server
        self.twilio = FakeTwilio()
        self._stack = ExitStack()
        self._seq = 0

    def __enter__(self) -> Self:
        try:
            return self._enter()
        except BaseException:
            self._stack.close()
            raise

    def _enter(self) -> Self:
        enter = self._stack.enter_context
        enter(self.twilio)
        self.first = enter(Running(self._config("first"), wait_for="became leader"))
        self.second = enter(Running(self._config("second"), wait_for="standby"))
        for one in (self.first, self.second):
            one.wait_said("subscribed")
        self.device = enter(FakeDevice(self.server))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _config(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        where = {"url": self.database.url} if self.database.url else {"path": str(self.database.path)}
        mqtt = {"client_id": name, "share": "all"}
        return write_config(folder, server=self.server, twilio=self.twilio, mqtt=mqtt, database=where)

    def say(self, count: int, **changes: Any) -> None:
        """Say so many sentences, and wait until all are acknowledged."""
        said = [event(seq=self._seq + number, **changes) for number in range(count)]
        self._seq += count
        self.device.say(*said)
        self.device.wait_stored(*said)

    def stored(self) -> int:
        """Count the captions in the database."""
        engine = open_database(self.database)
        with reading(engine) as connection:
            count = len(connection.execute(select(core.caption.c.id)).all())
        engine.dispose()
        return count


@pytest.fixture
def pair(tmp_path: Path, database: Database, mosquitto: Mosquitto) -> Iterator[Pair]:
    with Pair(tmp_path, database, mosquitto) as made:
        yield made


def test_all_take_captions_in_and_one_tells(pair: Pair) -> None:
    pair.say(40)
    for seq in range(4):
        pair.say(1, text="a man is holding a gun", site="north-gate", stream=f"cam-{seq}")
    pair.first.wait_said("notification sent")
    codes = (pair.second.stop(), pair.first.stop())

    (stopped_first,), (stopped_second,) = pair.first.said("stopped"), pair.second.said("stopped")
    assert codes == (0, 0)
    assert min(stopped_first["captions"], stopped_second["captions"]) > 0
    assert stopped_first["captions"] + stopped_second["captions"] == pair.stored() == 44
    assert (len(pair.twilio.messages), pair.second.said("notification sent")) == (1, [])


def test_after_kill_9_the_other_one_tells_what_was_left_half_sent_once(pair: Pair) -> None:
    pair.twilio.planned = deque([Behaviour.ACCEPTED_TIMEOUT])
    pair.say(1, text="a man is holding a gun")
    wait_until(lambda: len(pair.twilio.messages) == 1, "the provider takes the message")

    pair.first.stop(signal.SIGKILL)
    pair.second.wait_said("notification sent")

    (term,) = pair.second.said("became leader")
    assert term["reason"] == "expired"
    assert pair.twilio.posts == 1
    pair.say(20)
    assert pair.stored() == 21


def test_one_that_was_paused_finds_that_it_is_off_duty_and_sends_nothing(pair: Pair) -> None:
    pair.first.send_signal(signal.SIGSTOP)
    pair.second.wait_said("became leader")
    pair.first.send_signal(signal.SIGCONT)
    pair.first.wait_said("lost leadership")

    pair.say(6, text="a man is holding a gun")
    pair.second.wait_said("notification sent")

    assert pair.first.said("notification sent") == []
    assert len(pair.twilio.messages) == 1


def test_a_clean_stop_hands_the_duty_over_at_once(pair: Pair) -> None:
    assert pair.first.stop() == 0
    pair.second.wait_said("became leader")

    (term,) = pair.second.said("became leader")
    assert term["reason"] == "vacant"

"""Who is told of missed devices, who is not, and what ends it: as of any danger."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from broker.config.broker import Recipient
from broker.config.errors import Misconfigured
from broker.config.incidents import Inhibition, PresenceSettings
from broker.config.sites import Places
from broker.incidents import digest as held
from broker.incidents import responses, silence
from broker.incidents.alerting import Notifier
from broker.incidents.incident import State as StateCollector
from broker.incidents.presence import builtin_rules
from broker.incidents.silence import Silence
from broker.notify.reasons import AlsoSeen
from broker.rules import compiler
from broker.rules.schema import RulesFile, RuleText
from tests.broker.incidents.presence.missing_devices import COMPOSER, SETTINGS, pass_by
from tests.broker.scene import CHAIN, CHIEF, GUARD, Scene

Make = Callable[..., Scene]


def test_it_is_told_again_after_a_long_while(missing_scene: Make) -> None:
    room = missing_scene()
    room.state("pi-01")

    assert pass_by(room, seconds=180 + 3600) == ["first to guard", "repeat to guard"]


def test_nobody_answers_so_the_next_is_told_until_the_device_is_back(missing_scene: Make) -> None:
    room = missing_scene(GUARD, CHIEF, presence=PresenceSettings(severity="critical"), escalation=(CHAIN,))
    room.state("pi-01")

    assert pass_by(room, seconds=190) == ["first to guard"]
    assert pass_by(room, seconds=300) == ["escalation to chief"]
    assert pass_by(room, "pi-01", seconds=100) == ["resolved to guard", "resolved to chief"]


def test_an_answer_stops_the_escalation(missing_scene: Make) -> None:
    room = missing_scene(GUARD, CHIEF, presence=PresenceSettings(severity="critical"), escalation=(CHAIN,))
    room.state("pi-01")
    pass_by(room, seconds=190)

    room.do(responses.acknowledge, 1, by="guard", how="sms")

    assert pass_by(room, seconds=900) == []


@pytest.mark.parametrize("matchers", [{"device": ("pi-01",)}, {"danger": ("device-lost",), "site": ("north-gate",)}])
def test_a_device_that_is_silenced_is_not_missed_until_the_silence_ends(missing_scene: Make, matchers: Any) -> None:
    room = missing_scene()
    room.state("pi-01")
    room.do(silence.add, Silence("kim", "repair", matchers, room.now, room.now + timedelta(minutes=10)))

    assert pass_by(room, seconds=590) == []
    assert room.incidents == []
    assert pass_by(room, seconds=20) == ["first to guard"]


def test_a_silence_after_the_first_message_stops_the_others(missing_scene: Make) -> None:
    room = missing_scene(GUARD, CHIEF, presence=PresenceSettings(severity="critical"), escalation=(CHAIN,))
    room.state("pi-01")
    pass_by(room, seconds=190)
    room.do(silence.add, Silence("kim", "known", {"device": ("pi-01",)}, room.now, room.now + timedelta(hours=1)))

    assert pass_by(room, seconds=1200) == []
    assert room.incident.state is StateCollector.OPEN


def test_what_someone_closed_stays_closed_until_the_device_has_been_heard_again(missing_scene: Make) -> None:
    room = missing_scene()
    room.state("pi-01")
    pass_by(room, seconds=200)
    room.do(responses.resolve, 1, by="guard", how="console")

    assert pass_by(room, seconds=3600) == []
    assert pass_by(room, "pi-01", seconds=10) == []
    assert pass_by(room, seconds=190) == ["first to guard"]


def test_a_device_that_the_configuration_leaves_out_is_not_missed(missing_scene: Make) -> None:
    room = missing_scene(presence=PresenceSettings(leave_out=("north-gate/pi-01",)))
    room.state("pi-01")

    assert pass_by(room, seconds=600) == []
    assert room.incidents == []


def test_it_hides_behind_a_greater_danger_where_the_configuration_says_so(missing_scene: Make) -> None:
    room = missing_scene(inhibit=(Inhibition(during=("fire",), hold_back=("device-lost",)),))
    room.state("pi-01")
    room.clock.now += timedelta(seconds=175)
    room.say("a fire", camera="cam-9")
    room.deliver()
    room.processor.clock = room.clock

    assert pass_by(room, seconds=180) == []

    assert [one.detail for one in room.events() if one.kind == "also"] == [(AlsoSeen("device-lost", "pi-01"),)]


def test_what_waits_for_the_morning_says_which_device_it_is(missing_scene: Make) -> None:
    asleep = Recipient(name="guard", phone="+12025550143", quiet_hours=("00:00-07:00",))
    room = missing_scene(asleep)
    room.state("pi-01")
    room.state("pi-01", site="depot")
    pass_by(room, seconds=200)

    room.clock.now += timedelta(hours=4)
    held_by_then = [one for one in room.alerts if one.state == "held"]
    assert room.wait(seconds=1) == ["digest to guard"]

    assert len(held_by_then) == 2
    digest = next(one for one in room.alerts if one.kind == "digest")
    assert COMPOSER(digest, room.now) == (
        "2 alerts, the worst: Device silent - north-gate, pi-01, 07:03: no message since 03:00"
    )


def test_a_single_held_message_is_released_as_it_is(missing_scene: Make) -> None:
    asleep = Recipient(name="guard", phone="+12025550143", quiet_hours=("00:00-07:00",))
    room = missing_scene(asleep)
    room.state("pi-01")
    pass_by(room, seconds=200)
    room.clock.now += timedelta(hours=4)

    room.do(lambda connection, at: held.release(connection, "guard", (asleep,), Notifier(Places.nameless()), now=at))

    assert room.deliver() == ["first to guard"]


def test_a_rule_of_the_file_may_not_take_the_name() -> None:
    book = compiler.build(RulesFile(rules=(RuleText(name="camera-lost", says=("gun",)),)), origin="rules.yaml")

    with pytest.raises(Misconfigured, match="that name belongs to lost devices"):
        builtin_rules.beside(book, SETTINGS)
    assert builtin_rules.beside(book, None) is book

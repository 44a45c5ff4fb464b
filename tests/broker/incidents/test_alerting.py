"""From sightings to messages, with the desk, the rounds and a database: what people are told, and what is kept."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.config.absence import Absence
from broker.config.broker import Recipient
from broker.config.incidents import Escalation, Incidents, Inhibition, Joining, Step
from broker.config.sites import Places
from broker.incidents import responses, silence
from broker.incidents.absences import Absences
from broker.incidents.ack_links import Choice, use
from broker.incidents.incident import State
from broker.incidents.responses import Effect
from broker.incidents.silence import Silence
from broker.notify import contacts, reply_text
from broker.notify.links import Refused, Signer
from broker.notify.message.composer import Composer
from broker.notify.opt_out import OptOut
from broker.notify.reasons import AlsoSeen, HourlyLimit, NotificationFor, OptedOut, Silenced
from broker.notify.translation.none import NoTranslation
from broker.store.engine import reading, writing
from broker.web.webhooks.reply_actions import ReplyActions
from tests.broker.scene import CHAIN, CHIEF, GUARD, RULES, Scene, empty_database

Make = Callable[..., Scene]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("incidents"))


@pytest.fixture
def scene(template: Path, tmp_path: Path) -> Iterator[Make]:
    made: list[Scene] = []

    def make(*people: Recipient, **changes: Any) -> Scene:
        made.append(Scene(tmp_path, people=people or (GUARD,), settings=Incidents(**changes), template=template))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_danger_over_all_cameras_is_one_incident_and_one_message(scene: Make) -> None:
    room = scene()

    assert room.say("a gun") == ["gun: first"]
    assert room.deliver() == ["first to guard"]
    assert room.say("a gun", camera="cam-1") == ["gun: later"]
    assert room.say("a gun", camera="cam-2") == ["gun: later"]

    assert room.incident.cameras == ("pi-01/cam-0", "pi-01/cam-1", "pi-01/cam-2")
    assert room.wait(minutes=2) == []
    assert room.wait(minutes=1) == ["update to guard"]
    assert room.kinds() == ["opened", "told", "camera", "camera", "told"]


def test_a_danger_that_grows_is_told_at_once(scene: Make) -> None:
    room = scene()
    room.say("a person falls")
    room.deliver()

    assert room.say("a person lies there") == ["fallen: update"]

    assert room.deliver() == ["update to guard"]
    assert (room.incident.severity, room.incident.rule) == ("critical", "fallen")


def test_what_is_still_there_after_the_cooldown_is_told_again(scene: Make) -> None:
    room = scene()
    room.say("a gun")
    room.clock.now += timedelta(minutes=5)
    room.deliver()

    room.clock.now += timedelta(minutes=9)
    assert room.say("a gun") == ["gun: too-soon"]
    room.clock.now += timedelta(minutes=1)
    assert room.say("a gun") == ["gun: repeat"]


def test_smoke_hides_behind_a_fire_that_people_know_of_and_is_kept(scene: Make) -> None:
    room = scene(inhibit=(Inhibition(during=("fire",), hold_back=("smoke",)),))
    room.say("a fire")

    assert room.say("thick smoke", camera="cam-1") == ["smoke: inhibited"]

    assert [one.detail for one in room.events() if one.kind == "also"] == [(AlsoSeen("smoke", "pi-01/cam-1"),)]


def test_smoke_does_not_hide_from_someone_who_was_not_told_of_the_fire(scene: Make) -> None:
    only_smoke = Recipient(name="smith", phone="+12025550190", dangers=("smoke",))
    room = scene(GUARD, only_smoke, inhibit=(Inhibition(during=("fire",), hold_back=("smoke",)),))
    room.say("a fire")

    assert room.say("thick smoke") == ["smoke: first"]
    assert "first to smith" in room.deliver()


def test_a_danger_that_joins_another_at_its_camera_lengthens_that_incident(scene: Make) -> None:
    room = scene(join=(Joining(during=("fire",), joins=("smoke",)),))
    room.say("a fire")
    room.deliver()
    room.clock.now += timedelta(minutes=9)

    assert room.say("smoke") == ["smoke: too-soon"]

    assert room.wait(minutes=14) == []
    assert room.wait(minutes=1) == ["resolved to guard"]
    assert [one.danger for one in room.incidents] == ["fire"]
    assert [one.detail for one in room.events() if one.kind == "also"] == [(AlsoSeen("smoke", "pi-01/cam-0"),)]


def test_a_danger_that_joins_others_is_its_own_at_another_camera(scene: Make) -> None:
    room = scene(join=(Joining(during=("fire",), joins=("smoke",)),))
    room.say("a fire")
    room.deliver()

    assert room.say("smoke", camera="cam-1") == ["smoke: first"]


def test_a_false_alarm_also_closes_what_joins_it(scene: Make) -> None:
    room = scene(join=(Joining(during=("fire",), joins=("smoke",)),))
    room.say("a fire")
    room.deliver()
    room.do(responses.false_alarm, 1, by="guard", how="sms")

    assert room.say("smoke") == ["smoke: closed"]


def test_an_incident_ends_when_no_camera_has_seen_it_and_people_hear_so(scene: Make) -> None:
    silent = Recipient(name="chief", phone="+12025550178", notify_when_resolved=False)
    room = scene(GUARD, silent)
    room.say("a gun")
    room.deliver()
    room.do(responses.acknowledge, 1, by="chief", how="sms")

    assert room.wait(minutes=14) == []
    assert room.wait(minutes=1) == ["resolved to guard"]

    assert room.incident.state is State.RESOLVED
    assert room.say("a gun") == ["gun: first"]
    assert len(room.incidents) == 2


def test_nobody_answers_so_the_next_is_told_and_then_everyone_again(scene: Make) -> None:
    room = scene(GUARD, CHIEF, escalation=(CHAIN,))
    room.say("a gun")

    assert room.deliver() == ["first to guard"]
    assert room.wait(minutes=5) == ["escalation to chief"]
    assert room.wait(minutes=5) == ["escalation to guard"]
    assert room.wait(minutes=5) == ["escalation to chief"]
    room.wait(minutes=15)

    assert "unanswered" in room.kinds()


def test_an_answer_stops_the_escalation(scene: Make) -> None:
    room = scene(GUARD, CHIEF, escalation=(CHAIN,))
    room.say("a gun")
    room.deliver()

    answered = room.do(responses.acknowledge, 1, by="guard", how="sms")
    late = room.do(responses.acknowledge, 1, by="chief", how="console")

    assert (answered.effect, late.effect) == (Effect.DONE, Effect.ALREADY)
    assert late.incident.acknowledged_by == "guard"
    assert room.wait(minutes=10) == []
    with reading(room.engine) as connection:
        assert contacts.all_known(connection)["guard"].heard_at == room.now - timedelta(minutes=10)


def test_whoever_has_a_dead_number_is_passed_over_at_once(scene: Make) -> None:
    room = scene(GUARD, CHIEF, escalation=(CHAIN,))
    room.say("a gun")

    assert room.deliver(rejected=["guard"]) == []
    assert room.wait(seconds=1) == ["escalation to chief"]


def test_whoever_is_away_is_passed_over_at_once(scene: Make) -> None:
    room = scene(GUARD, CHIEF, escalation=(CHAIN,))
    with writing(room.engine) as connection:
        contacts.set_away(connection, "guard", until=room.now + timedelta(hours=1), because="lunch")

    room.say("a gun")

    assert room.wait(seconds=1) == ["escalation to chief"]


def test_nothing_is_sent_to_someone_who_wrote_stop_and_the_next_is_notified_at_once(scene: Make) -> None:
    room = scene(GUARD, CHIEF, escalation=(CHAIN,))
    opt_out = OptOut((GUARD, CHIEF), (CHAIN,))
    room.do(opt_out.stop, GUARD)

    room.say("a gun")

    assert room.deliver() == ["contact to chief"]
    assert room.wait(seconds=1) == ["escalation to chief"]
    assert [(one.recipient, one.state.value) for one in room.alerts if one.kind == "first"] == [("guard", "dead")]
    held = [one.detail for one in room.events() if one.kind == "held"]
    assert held == [(NotificationFor("first", "guard", (OptedOut(),)),)]

    room.do(opt_out.start, GUARD)
    assert room.say("a fire") == ["fire: first"]
    assert room.deliver() == ["contact to chief", "first to guard"]


def test_a_stop_after_the_first_notification_lets_the_escalation_go_on_at_once(scene: Make) -> None:
    room = scene(GUARD, CHIEF, escalation=(CHAIN,))
    room.say("a gun")
    assert room.deliver() == ["first to guard"]
    actions = ReplyActions(OptOut((GUARD, CHIEF), (CHAIN,)))

    answer = room.do(actions.apply, GUARD, reply_text.read("수신 거부"))

    assert answer.text.startswith("You get no more notifications.")
    assert room.wait(seconds=1) == ["contact to chief", "escalation to chief"]


def test_what_waits_for_someone_who_writes_stop_is_given_up(scene: Make) -> None:
    room = scene(GUARD, CHIEF)
    room.say("a gun")

    room.do(OptOut((GUARD, CHIEF), ()).stop, GUARD)

    assert room.deliver() == ["first to chief", "contact to chief"]


@pytest.mark.parametrize(
    ("name", "following"), [("guard", ["chief"]), ("chief", ["owner"]), ("owner", ["chief"]), ("other", ["chief"])]
)
def test_the_next_of_the_escalation_is_notified_of_a_stop(name: str, following: list[str]) -> None:
    people = [Recipient(name=one, phone="+12025550143") for one in ("guard", "chief", "owner", "other")]
    chain = Escalation(steps=(Step(after_minutes=5, notify=("chief",)), Step(after_minutes=5, notify=("owner",))))
    person = next(one for one in people if one.name == name)

    assert [one.name for one in OptOut(people, [chain]).next_of(person)] == following


def test_without_an_escalation_everyone_else_is_notified_of_a_stop() -> None:
    assert OptOut((GUARD, CHIEF), ()).next_of(GUARD) == (CHIEF,)


@pytest.mark.parametrize("answer", [responses.resolve, responses.false_alarm])
def test_what_someone_closed_is_not_told_of_again_by_the_same_camera(scene: Make, answer: Any) -> None:
    room = scene(GUARD, CHIEF)
    room.say("a gun")
    room.deliver()
    room.do(answer, 1, by="guard", how="console")

    assert room.say("a gun") == ["gun: closed"]
    assert room.wait(minutes=1) == ["resolved to chief"]
    assert room.say("a gun", camera="cam-1") == ["gun: first"]

    assert "seen-again" in room.kinds()
    assert room.do(responses.acknowledge, 1, by="chief", how="sms").effect is Effect.OVER


def test_a_closed_incident_is_told_of_again_after_the_cooldown(scene: Make) -> None:
    room = scene()
    room.say("a gun")
    room.do(responses.resolve, 1, by="guard", how="console")
    room.clock.now += timedelta(minutes=10)

    assert room.say("a gun") == ["gun: first"]


def test_a_silence_keeps_quiet_writes_down_why_and_ends(scene: Make) -> None:
    room = scene()
    quiet = Silence("kim", "welding", {"danger": ("gun",)}, room.now, room.now + timedelta(minutes=5))
    made = room.do(silence.add, quiet)

    assert room.say("a gun") == ["gun: silenced"]
    assert room.say("a fire") == ["fire: first"]
    room.clock.now += timedelta(minutes=1)
    assert room.do(silence.end, made.id, by="lee")
    assert room.say("a gun") == ["gun: first"]

    assert [one.detail for one in room.events() if one.kind == "muted"] == [(Silenced(1, "kim", "welding"),)]


def test_a_silence_stops_the_escalation_for_as_long_as_it_holds(scene: Make) -> None:
    room = scene(GUARD, CHIEF, escalation=(CHAIN,))
    room.say("a gun")
    room.deliver()
    quiet = Silence("guard", "known", {"site": ("north-gate",)}, room.now, room.now + timedelta(minutes=20))
    room.do(silence.add, quiet)

    room.say("a gun")
    assert room.wait(minutes=10) == []
    room.say("a gun")
    assert room.wait(minutes=10) == ["escalation to chief"]


def test_what_waits_for_the_morning_comes_as_one_message(scene: Make) -> None:
    asleep = Recipient(name="guard", phone="+12025550143", quiet_hours=("00:00-07:00",), quiet_passes=None)
    room = scene(asleep)
    assert room.now.hour == 3

    room.say("a gun")
    room.say("a fire", site="depot")
    room.say("a gun")

    assert room.deliver() == []
    assert room.pass_by(hours=4, minutes=30) == ["digest to guard"]
    digest = next(one for one in room.alerts if one.kind == "digest")
    assert digest.facts["count"] == 2
    assert {one.state for one in room.alerts} == {"digested", "sent"}
    assert "held" in room.kinds()


def test_what_is_more_than_one_can_read_in_an_hour_waits_and_says_so(scene: Make) -> None:
    room = scene(Recipient(name="guard", phone="+12025550143", max_per_hour=2, notify_when_resolved=False))
    for site in ("a", "b", "c", "d"):
        room.say("smoke", site=site)

    assert room.deliver() == ["first to guard", "first to guard"]
    assert room.events(3)[-1].detail == (NotificationFor("first", "guard", (HourlyLimit(2, 2),)),)
    assert room.pass_by(hours=1, minutes=10) == ["digest to guard"]


def test_a_first_or_worse_critical_notification_is_never_held_by_the_hourly_limit(scene: Make) -> None:
    guard = Recipient(name="guard", phone="+12025550143", max_per_hour=1, notify_when_resolved=False)
    chief = Recipient(name="chief", phone="+12025550178", max_per_hour=1, notify_when_resolved=False)
    room = scene(guard, chief, escalation=(CHAIN,))
    sites = [f"site-{number}" for number in range(23)]
    for site in sites:
        room.say("a gun", site=site)

    assert room.deliver() == ["first to guard"] * 23
    for _ in range(23):
        room.walk()
    assert room.wait(minutes=5) == ["escalation to chief"] * 23
    assert room.wait(minutes=5) == []  # the second cycle says nothing new to the guard: it waits for the digest
    assert "held" in room.kinds()


def test_what_grows_critical_passes_the_hourly_limit_and_what_stays_does_not(scene: Make) -> None:
    room = scene(Recipient(name="guard", phone="+12025550143", max_per_hour=1))
    room.say("a person falls")
    assert room.deliver() == ["first to guard"]

    room.say("a person lies there")
    assert room.deliver() == ["update to guard"]
    room.clock.now += timedelta(minutes=11)
    assert room.say("a person lies there") == ["fallen: repeat"]
    assert room.deliver() == []


def test_what_is_over_leaves_room_in_the_hour(scene: Make) -> None:
    room = scene(Recipient(name="guard", phone="+12025550143", max_per_hour=2), CHIEF)
    room.say("smoke")
    room.deliver()
    room.do(responses.resolve, 1, by="chief", how="console")
    assert room.wait(minutes=1) == ["resolved to guard"]

    room.say("smoke", site="depot")
    assert "first to guard" in room.deliver()


def test_what_is_held_for_someone_who_has_left_is_given_up_loudly(scene: Make) -> None:
    asleep = Recipient(name="guard", phone="+12025550143", quiet_hours=("00:00-07:00",), quiet_passes=None)
    room = scene(asleep)
    room.say("a gun")
    room.scheduler.grouper = type(room.grouper)((CHIEF,), room.settings, room.grouper.places)

    room.wait(hours=4)

    assert [one.error for one in room.alerts if one.state == "dead"] == [
        "no recipient of this name is left in broker.yaml"
    ]


SIGNER = Signer("https://wordcam.example", "x" * 32, timedelta(hours=1))


def test_a_link_acknowledges_once(scene: Make) -> None:
    room = scene()
    room.say("a gun")
    room.deliver()
    token = SIGNER.link(1).rpartition("/")[2]

    with writing(room.engine) as connection:
        assert use(connection, SIGNER, token, at=room.now).effect is Effect.DONE
        with pytest.raises(Refused, match="used before"):
            use(connection, SIGNER, token, at=room.now)

    assert (room.incident.acknowledged_by, room.incident.acknowledged_how) == ("guard", "link")


@pytest.mark.parametrize("token", ["", "1", "1.x.y", "-1.a.b", "\x00", "1" * 5000, "한글.a.b"])
def test_a_forged_link_is_refused(scene: Make, token: str) -> None:
    room = scene()
    with writing(room.engine) as connection, pytest.raises(Refused, match="not one of ours"):
        use(connection, SIGNER, token, at=room.now)


def test_a_link_of_another_secret_is_refused() -> None:
    with pytest.raises(Refused, match="not one of ours"):
        SIGNER.read(Signer("", "y" * 32, timedelta(hours=1)).token(1))


def test_an_old_link_is_refused(scene: Make) -> None:
    room = scene()
    room.say("a gun")
    room.clock.now += timedelta(hours=1)

    with writing(room.engine) as connection, pytest.raises(Refused, match="too old"):
        use(connection, SIGNER, SIGNER.token(1), at=room.now)


@pytest.mark.parametrize(
    ("choice", "state"),
    [
        ("take", State.ACKNOWLEDGED),
        ("going", State.ACKNOWLEDGED),
        ("over", State.RESOLVED),
        ("false", State.FALSE_ALARM),
    ],
)
def test_a_link_answers_what_its_button_says(scene: Make, choice: str, state: State) -> None:
    room = scene()
    room.say("a gun")

    with writing(room.engine) as connection:
        use(connection, SIGNER, SIGNER.token(1), at=room.now, choice=Choice(choice))

    assert room.incident.state is state
    assert ("note" in room.kinds()) is (choice == "going")


def test_an_answer_to_nothing_changes_nothing(scene: Make) -> None:
    room = scene()

    assert room.do(responses.acknowledge, 7, by="x", how="sms").effect is Effect.UNKNOWN
    assert room.do(responses.resolve, 7, by="x", how="sms").effect is Effect.UNKNOWN
    assert not room.do(responses.note, 7, "hello", by="x")


def test_a_further_camera_is_said_to_everyone_who_was_notified_before(scene: Make) -> None:
    room = scene(GUARD, CHIEF, escalation=(CHAIN,))
    room.say("a gun")
    room.deliver()
    assert room.wait(minutes=5) == ["escalation to chief"]

    room.clock.now += timedelta(minutes=4)
    room.say("a gun", camera="cam-1")

    assert sorted(one for one in room.deliver() if one.startswith("update")) == ["update to chief", "update to guard"]


def test_a_critical_incident_that_nobody_answered_ends_with_a_word_to_everyone(scene: Make) -> None:
    silent = Recipient(name="chief", phone="+12025550178", notify_when_resolved=False)
    room = scene(GUARD, silent)
    room.say("a gun")
    room.deliver()

    assert room.wait(minutes=15) == ["resolved to guard", "resolved to chief"]


def test_an_update_that_waits_does_not_hurry_the_escalation(scene: Make) -> None:
    guard = Recipient(name="guard", phone="+12025550143", max_per_hour=1)
    room = scene(guard, CHIEF, escalation=(CHAIN,))
    room.say("a gun")
    room.say("a gun", camera="cam-1")
    assert room.deliver() == ["first to guard"]

    assert room.wait(minutes=3) == []  # the further camera exceeds the hourly limit, and the guard knows of the gun
    assert "held" in room.kinds()
    assert room.wait(minutes=1) == []
    assert room.wait(minutes=1) == ["escalation to chief"]


def test_the_end_of_an_unanswered_incident_says_so_and_of_an_answered_one_does_not(scene: Make) -> None:
    room = scene()
    room.say("a gun")
    room.say("a fire", site="depot")
    room.deliver()
    room.do(responses.acknowledge, 2, by="chief", how="sms")

    assert room.wait(minutes=15) == ["resolved to guard", "resolved to guard"]
    ends = [one.facts for one in room.alerts if one.kind == "resolved"]
    assert [(one["unseen_minutes"], one["unanswered"]) for one in ends] == [(15, True), (15, False)]


def test_many_ends_at_once_come_as_a_few_and_one_digest(scene: Make) -> None:
    room = scene()
    for number in range(8):
        room.say("a gun", site=f"site-{number}")
    assert room.deliver() == ["first to guard"] * 8

    assert room.wait(minutes=15) == ["resolved to guard"] * 3
    assert room.wait(minutes=2) == ["digest to guard"]
    (digest,) = (one for one in room.alerts if one.kind == "digest")
    assert (digest.facts["count"], digest.facts["ended"]) == (5, 5)


def test_a_digest_counts_incidents_and_says_what_is_over(scene: Make) -> None:
    asleep = Recipient(name="guard", phone="+12025550143", quiet_hours=("00:00-03:20",), quiet_passes=None)
    room = scene(asleep, CHIEF)
    room.say("a gun")
    room.clock.now += timedelta(minutes=11)
    room.say("a gun")
    room.say("smoke", site="depot")
    room.do(responses.resolve, 1, by="chief", how="console")
    room.pass_by(hours=0.2)

    (digest,) = (one for one in room.alerts if one.kind == "digest")
    assert (digest.facts["count"], digest.facts["ended"], digest.rule) == (2, 1, "gun")
    assert digest.facts["described_ended"]


def test_smoke_that_came_first_is_not_escalated_beside_the_fire(scene: Make) -> None:
    everything = Escalation(min_severity="warning", steps=(Step(after_minutes=5, notify=("chief",)),))
    room = scene(GUARD, CHIEF, escalation=(everything,), inhibit=(Inhibition(during=("fire",), hold_back=("smoke",)),))
    room.say("smoke")
    room.clock.now += timedelta(minutes=1)
    room.say("a fire")
    room.deliver()

    assert room.say("smoke", camera="cam-1") == ["smoke: inhibited"]
    gone = room.wait(minutes=4) + room.wait(minutes=1)

    assert gone == ["escalation to chief"]
    assert [one.rule for one in room.alerts if one.kind == "escalation"] == ["fire"]


def test_smoke_that_ends_while_the_fire_lasts_is_not_called_over(scene: Make) -> None:
    room = scene(inhibit=(Inhibition(during=("fire",), hold_back=("smoke",)),))
    room.say("smoke")
    room.deliver()
    room.clock.now += timedelta(minutes=10)
    room.say("a fire")
    room.deliver()

    assert room.wait(minutes=6) == []
    assert [one.state.value for one in room.incidents] == ["resolved", "open"]


def test_a_false_alarm_that_is_said_after_the_end_is_still_written_down(scene: Make) -> None:
    room = scene(GUARD, CHIEF)
    room.say("a gun")
    room.deliver()
    room.wait(minutes=15)

    answered = room.do(responses.false_alarm, 1, by="guard", how="sms")

    assert answered.effect is Effect.DONE
    assert (room.incident.state, room.incident.closed_by) == (State.FALSE_ALARM, "guard")
    assert room.wait(minutes=1) == []
    assert room.do(responses.false_alarm, 1, by="chief", how="sms").effect is Effect.OVER
    assert room.do(responses.resolve, 1, by="chief", how="sms").effect is Effect.OVER


def test_someone_who_goes_away_after_the_first_notification_lets_the_escalation_go_on(scene: Make) -> None:
    room = scene(GUARD, CHIEF, escalation=(CHAIN,))
    room.say("a gun")
    assert room.deliver() == ["first to guard"]
    absences = Absences(OptOut((GUARD, CHIEF), (CHAIN,)))

    room.do(absences.set, GUARD, ends_at=room.now + timedelta(hours=2), because="hospital")

    assert room.wait(seconds=1) == ["contact to chief", "escalation to chief"]
    told = next(one for one in room.alerts if one.kind == "contact")
    for language, expected in (("en", "NOTE: guard is away until 05:00."), ("ko", "[안내] guard 님 05:00까지 부재.")):
        text = Composer(Places.nameless(), RULES, NoTranslation())(replace(told, language=language), room.now)  # type: ignore[arg-type]  # both are
        assert text.startswith(expected)


def test_whoever_is_away_by_the_configuration_is_passed_over_at_once(scene: Make) -> None:
    absent = Recipient(name="guard", phone=GUARD.phone, away=(Absence(start="2026-03-14", until="2026-03-14"),))
    room = scene(absent, CHIEF, escalation=(CHAIN,))

    room.say("a gun")

    assert room.wait(seconds=1) == ["escalation to chief"]
    assert room.pass_by(hours=21, minutes=10)[-1].endswith("to guard")

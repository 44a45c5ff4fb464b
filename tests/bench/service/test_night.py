"""A night replayed, cut to the hour with the gun: everything is accounted for, and every text keeps its promises."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bench.service.night import page, replay, scenario, verdict
from bench.service.night.happenings import Answered, Disk, Happening, Said
from bench.service.night.replay import Night

SHORT = timedelta(minutes=50)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """An hour that begins at 23:10: the gun and its late answer, then a full disk and the fall seen meanwhile."""
    whole = scenario.script()
    begin = timedelta(minutes=70)
    happenings = [replace(one, after=one.after - begin) for one in whole.happenings if one.after >= begin]
    fall = Said(("car-park", "west"), "a man is lying motionless on the ground next to a car")
    happenings += [
        Happening(timedelta(minutes=20), Disk(full=True)),
        Happening(timedelta(minutes=22), fall),
        Happening(timedelta(minutes=23), Answered(scenario.REED, "STOP")),
        Happening(timedelta(minutes=33), Disk(full=False)),
    ]
    chosen = tuple(sorted((one for one in happenings if one.after < SHORT), key=lambda one: one.after))
    folder = tmp_path_factory.mktemp("night")
    chance = random.Random(7).random
    with replay.opened(folder, begin=scenario.BEGIN + begin, chance=chance) as made:
        made.run(replace(whole, length=SHORT, happenings=chosen))
        yield made


def test_nothing_is_dropped_or_sent_twice(night: Night) -> None:
    found = verdict.of(night)

    assert (found.dropped, found.doubled) == (0, 0)
    assert found.stored == found.captions > 100
    assert found.problems == ()


def test_the_guard_answers_in_his_own_words_and_the_escalation_ends(night: Night) -> None:
    texts = [(text.person, text.notification.kind.value) for text in verdict.of(night).texts]

    assert (scenario.CHIEF, "escalation") in texts
    answers = {entry.what: entry.answer for entry in night.entries if entry.person == scenario.GUARD}
    assert answers["네 방금 봤습니다. 지금 출동합니다"].startswith("확인되었습니다. #1 담당")


def test_a_full_disk_is_reported_and_what_was_seen_meanwhile_is_said_late(night: Night) -> None:
    assert any("not ready" in entry.what for entry in night.entries)
    falls = [text for text in verdict.of(night).texts if "쓰러짐" in text.body]

    assert any("11분" in text.body and "지연" in text.body for text in falls)
    assert not any(text.notification.rule.startswith("device") for text in verdict.of(night).texts)


def test_the_page_shows_every_text_with_its_reason(night: Night) -> None:
    found = verdict.of(night)

    written = page.page(night, found)

    assert all(text.body in written for text in found.texts)
    assert "nobody was notified yet" in written
    assert "no answer within 5 min" in written

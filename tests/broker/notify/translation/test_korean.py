"""The captioner's sentences in Korean: sounds, conjugation, word order, and how far the grammar reaches."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from broker.notify.translation import offline
from broker.notify.translation.korean import conjugation, inflection, lexicon, phonology
from broker.notify.translation.offline import OfflineTranslator

ROOT = Path(__file__).resolve().parents[4]
FLICKR = ROOT.parent / "shared" / "data" / "flickr8k" / "captions_val.json"

HAZARDS = yaml.safe_load((ROOT / "config" / "hazard-sentences.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("총", "총을 총이 총은 총과 총으로"),
        ("남자", "남자를 남자가 남자는 남자와 남자로"),
        ("칼", "칼을 칼이 칼은 칼과 칼로"),
        ("3", "3을 3이 3은 3과 3으로"),
        ("2", "2를 2가 2는 2와 2로"),
        ("카메라 1", "카메라 1을 카메라 1이 카메라 1은 카메라 1과 카메라 1로"),
        ("북문)", "북문)을 북문)이 북문)은 북문)과 북문)으로"),
        ("TV", "TV을(를) TV이(가) TV은(는) TV과(와) TV(으)로"),
    ],
    ids=["consonant", "vowel", "rieul", "digit three", "digit two", "digit one", "bracket", "Latin"],
)
def test_a_particle_has_the_form_that_the_last_sound_asks_for(word: str, said: str) -> None:
    assert " ".join(phonology.marked(word, particle) for particle in ("을", "이", "은", "과", "로")) == said


def test_a_pattern_takes_a_particle_only_where_one_stands() -> None:
    assert phonology.fill("~ 위에서 ~을 보다", "산") == "산 위에서 산을 보다"
    assert phonology.fill("~에게 던지다", "개") == "개에게 던지다"
    assert phonology.fill("~로서", "손님") == "손님으로서"


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("들다", "든다 드는 든 들 들며 들어 들었다"),
        ("걷다", "걷는다 걷는 걸은 걸을 걸으며 걸어 걸었다"),
        ("눕다", "눕는다 눕는 누운 누울 누우며 누워 누웠다"),
        ("젓다", "젓는다 젓는 저은 저을 저으며 저어 저었다"),
        ("돕다", "돕는다 돕는 도운 도울 도우며 도와 도왔다"),
        ("오르다", "오른다 오르는 오른 오를 오르며 올라 올랐다"),
        ("따르다", "따른다 따르는 따른 따를 따르며 따라 따랐다"),
        ("쓰다", "쓴다 쓰는 쓴 쓸 쓰며 써 썼다"),
        ("모으다", "모은다 모으는 모은 모을 모으며 모아 모았다"),
        ("하다", "한다 하는 한 할 하며 해 했다"),
        ("던지다", "던진다 던지는 던진 던질 던지며 던져 던졌다"),
        ("뛰다", "뛴다 뛰는 뛴 뛸 뛰며 뛰어 뛰었다"),
        ("싸우다", "싸운다 싸우는 싸운 싸울 싸우며 싸워 싸웠다"),
        ("보다", "본다 보는 본 볼 보며 봐 봤다"),
        ("기다", "긴다 기는 긴 길 기며 기어 기었다"),
        ("서다", "선다 서는 선 설 서며 서 섰다"),
        ("입다", "입는다 입는 입은 입을 입으며 입어 입었다"),
        ("있다", "있다 있는 있은 있을 있으며 있어 있었다"),
    ],
)
def test_verbs_are_conjugated(verb: str, forms: str) -> None:
    made = [conjugation.plain, conjugation.present, conjugation.done, conjugation.to_come, conjugation.meanwhile]

    assert " ".join(form(verb) for form in [*made, conjugation.led, conjugation.past]) == forms


@pytest.mark.parametrize(
    ("lemma", "forms"),
    [
        ("run", "runs running runned"),
        ("ride", "rides riding rided"),
        ("carry", "carries carrying carried"),
        ("catch", "catches catching catched"),
        ("lie", "lies lying lied"),
        ("open", "opens opening opened"),
        ("hug", "hugs hugging hugged"),
        ("play", "plays playing played"),
        ("canoe", "canoes canoeing canoed"),
    ],
)
def test_english_forms_are_made_by_rule(lemma: str, forms: str) -> None:
    assert f"{inflection.third(lemma)} {inflection.ing(lemma)} {inflection.past(lemma)}" == forms


SAID = [
    ("a man is holding a gun", "남자가 총을 들고 있다"),
    ("a man with a gun in his hand", "손에 총을 든 남자"),
    ("a man is pointing a gun at the camera", "남자가 카메라를 향해 총을 겨누고 있다"),
    ("two people are fighting with each other", "두 사람이 서로 싸우고 있다"),
    ("men are hitting each other in a room", "남자들이 방에서 서로를 때리고 있다"),
    ("thick smoke is rising in a building", "건물에서 짙은 연기가 피어오르고 있다"),
    ("a building is on fire", "건물이 불타고 있다"),
    ("a room is full of smoke", "방이 연기로 가득 차 있다"),
    ("smoke fills a room", "연기가 방을 가득 채운다"),
    ("a man is lying on the floor", "남자가 바닥에 누워 있다"),
    ("a person has fallen and lies on the floor", "사람이 넘어져 바닥에 누워 있다"),
    ("a person has lost balance and is falling", "사람이 균형을 잃고 넘어지고 있다"),
    ("nobody is in danger here", "위험에 처한 사람이 없다"),
    ("a knife and fork beside a plate of food", "음식이 담긴 접시 옆에 있는 칼과 포크"),
    ("a man in a red shirt is riding a bike on a dirt road", "빨간 셔츠를 입은 남자가 흙길에서 자전거를 타고 있다"),
    ("a man wearing a hat is standing in front of a wall", "모자를 쓴 남자가 벽 앞에 서 있다"),
    ("a man and a woman sitting on a bench", "벤치에 앉아 있는 남자와 여자"),
    ("a group of people are standing on the beach", "한 무리의 사람들이 해변에 서 있다"),
    ("two dogs are running through the grass", "개 두 마리가 풀밭을 달리고 있다"),
    ("a black and white dog is running in the snow", "검은색과 흰색이 섞인 개가 눈밭을 달리고 있다"),
    ("a brown dog is jumping in the air to catch a ball", "갈색 개가 공을 잡으려고 공중으로 뛰어오르고 있다"),
    ("a dog with a stick in its mouth", "입에 막대기를 문 개"),
    ("a girl is playing the guitar", "소녀가 기타를 치고 있다"),
    ("a boy is playing soccer", "소년이 축구를 하고 있다"),
    ("people are standing and talking", "사람들이 서서 이야기하고 있다"),
    ("there is a man holding a knife", "칼을 든 남자가 있다"),
    ("a man runs while people watch", "사람들이 지켜보는 동안 남자가 달린다"),
    ("on the left, a man holding a gun", "왼쪽에 총을 든 남자"),
    ("on the left, far away: a man is holding a gun", "왼쪽 멀리: 남자가 총을 들고 있다"),
    ("in the middle, close by: two people are fighting", "가운데 가까이: 두 사람이 싸우고 있다"),
    ("in the background a car is parked", "배경에 자동차가 주차되어 있다"),
    ("a child's toy", "아이의 장난감"),
    ("three cars parked on the street", "거리에 주차된 자동차 세 대"),
]


@pytest.mark.parametrize(("english", "korean"), SAID, ids=[english for english, _ in SAID])
def test_a_sentence_reads_in_korean(english: str, korean: str) -> None:
    assert OfflineTranslator().translate(english, source="en", target="ko") == korean


def hazard_sentences() -> list[str]:
    words = HAZARDS["words"]
    return [
        pattern.format(person=person)
        for patterns in HAZARDS["sentences"].values()
        for pattern in patterns
        for person in words["person"]
    ]


def test_every_sentence_that_the_captioner_learns_danger_from_is_translated() -> None:
    left = {sentence for sentence in hazard_sentences() if offline.whole(sentence) is None}

    assert left == set()


def test_shorter_and_shorter_the_danger_is_still_named() -> None:
    sentence = "a young man in a red shirt is holding a gun in his hand in front of a large building"

    versions = OfflineTranslator().versions(sentence, source="en", target="ko")

    assert len(versions) == 3
    assert sorted(versions, key=len, reverse=True) == list(versions)
    assert all("총을 들고 있다" in version for version in versions)
    assert versions[-1] == "남자가 총을 들고 있다"


@pytest.mark.parametrize("sentence", ["a brillig tove gyres", "", "...", "of of of", "남자가 뛴다", "a man the a of"])
def test_what_cannot_be_read_stays_as_it_is(sentence: str) -> None:
    assert OfflineTranslator().translate(sentence, source="en", target="ko") == sentence


@pytest.mark.parametrize(
    "sentence", ["there is no fire", "nobody is holding a gun", "a man is not holding a gun", "no one is in the room"]
)
def test_a_denial_is_not_translated_rather_than_lost(sentence: str) -> None:
    assert OfflineTranslator().translate(sentence, source="en", target="ko") == sentence


def test_other_languages_are_left_alone() -> None:
    assert OfflineTranslator().translate("a man", source="de", target="ko") == "a man"
    assert OfflineTranslator().translate("a man", source="en", target="en") == "a man"


WORDS = sorted(lexicon.shipped().known)


@given(st.lists(st.sampled_from([*WORDS, ",", "and", "of", "in", "with", "a", "is", "'s"]), max_size=20))
def test_any_row_of_known_words_is_translated_or_left_but_never_breaks(words: list[str]) -> None:
    said = offline.whole(" ".join(words))

    assert said is None or (said and "~" not in said and not any("a" <= sign <= "z" for sign in said))


@given(st.text(max_size=200))
def test_any_text_is_translated_or_left(text: str) -> None:
    assert isinstance(OfflineTranslator().translate(text, source="en", target="ko"), str)


def test_the_lists_know_nearly_every_word_of_the_shipped_model() -> None:
    words = (ROOT / "models" / "wordcam-1" / "vocabulary.txt").read_text(encoding="utf-8").split()
    own = [word for word in words if not word.startswith("<")]
    unknown = [word for word in own if word not in lexicon.shipped().known]

    assert len(unknown) < 0.065 * len(own), unknown
    # The vocabulary goes from frequent to rare.
    assert [word for word in own[:800] if word not in lexicon.shipped().known] == ["no"]  # left, as every denial is


@pytest.mark.skipif(not FLICKR.exists(), reason=f"{FLICKR} is not here")
def test_two_in_three_sentences_of_people_are_read_whole() -> None:
    captions = [entry["caption"] for entry in json.loads(FLICKR.read_text())["annotations"]][::10]
    read = sum(offline.whole(caption) is not None for caption in captions)

    assert read >= 0.62 * len(captions)


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("a person comes to the north door", "사람이 north door 구역에 들어온다"),
        ("two people are at the yard 2", "두 사람이 yard 2 구역에 있다"),
        ("a man stays at the north door: a man is walking", "남자가 north door 구역에 머무른다: 남자가 걷고 있다"),
        ("a man stays at the gate", "남자가 문에서 머무른다"),
        ("a person stays at the north door: zzz qqq", "사람이 north door 구역에 머무른다"),
        ("zzz stays at the north door", "zzz stays at the north door"),
    ],
)
def test_who_is_at_a_zone_is_said_with_the_name_that_the_operator_wrote(english: str, korean: str) -> None:
    assert OfflineTranslator().translate(english, source="en", target="ko") == korean

"""No sentence says of whom it speaks what race, origin or belief they are."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from contract import bundle, phrases, sensitive_words, vocabulary
from contract.vocabulary import Vocabulary
from edge.infer import beam
from edge.infer.beam import Plan
from trainer.data import caption_templates

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models" / "wordcam-1"
SPOKEN = (
    *("asian", "african", "indian", "american", "chinese", "japanese", "oriental", "dark-skinned"),
    *("african-american", "native", "european"),
)
"""Words that people wrote of Flickr8k's pictures, and that the vocabulary held before 2.6.0."""


@pytest.fixture(scope="module")
def shipped() -> Vocabulary:
    return vocabulary.load(SHIPPED / bundle.load(SHIPPED).files["vocabulary"].name)


@pytest.fixture(scope="module")
def known(shipped: Vocabulary) -> Vocabulary:
    """The shipped vocabulary with the words that any bundle might hold beside it."""
    return vocabulary.of((*shipped.words[len(vocabulary.SPECIALS) :], *SPOKEN))


class Eager:
    """A decoder that wants nothing more than to say certain words, and never to come to its end."""

    def __init__(self, vocabulary: Vocabulary, wanted: dict[str, float]) -> None:
        self._scores = np.full(len(vocabulary), -9.0, np.float32)
        for word, score in wanted.items():
            self._scores[vocabulary.ids[word]] = score

    def __call__(
        self, tokens: NDArray[np.int32], state: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        return np.tile(self._scores, (len(tokens), 1)), state, np.zeros((len(tokens), 1), np.float32)


def spoken(known: Vocabulary, wanted: dict[str, float], never: list[tuple[int, ...]]) -> list[list[str]]:
    state = np.zeros((1, 1), np.float32)
    found = beam.search(Eager(known, wanted), state, Plan(4, 8, 0.7, block_trigrams=False), beam.Silence(never))
    return [known.decode(hypothesis.tokens) for hypothesis in found]


def test_the_shipped_vocabulary_holds_none_of_the_words_that_people_wrote(shipped: Vocabulary) -> None:
    assert [word for word in SPOKEN if word in shipped.ids] == []
    assert all(sensitive_words.is_sensitive(word) for word in SPOKEN)


def test_a_decoder_that_knows_them_cannot_say_them_however_much_it_wants_to(known: Vocabulary) -> None:
    wanted = {"a": -1.0, "man": -2.0, **dict.fromkeys(SPOKEN, -0.1)}

    assert any(sensitive_words.found(words) for words in spoken(known, wanted, []))
    assert [sensitive_words.found(words) for words in spoken(known, wanted, sensitive_words.runs(known.ids))] == [
        []
    ] * 4


def test_a_colour_is_said_of_clothes_and_never_of_a_person(known: Vocabulary) -> None:
    wanted = {"black": -0.1, "white": -0.2, "man": -0.1, "woman": -0.2, "shirt": -0.3}

    said = spoken(known, wanted, sensitive_words.runs(known.ids))

    assert [sensitive_words.found(words) for words in said] == [[]] * 4
    assert any("black" in words or "white" in words for words in said)


def test_words_that_only_look_alike_may_be_said() -> None:
    assert sensitive_words.found(["a", "black", "shirt", "in", "a", "race", "near", "a", "brown", "dog"]) == []


@pytest.mark.parametrize("word", ["흑인이", "동양인", "아시아계", "외국인"])
def test_korean_words_are_found_with_whatever_follows_them(word: str) -> None:
    assert sensitive_words.found([word, "걷다"]) == [word]


@pytest.mark.parametrize("name", ["hazard-sentences.yaml", "hazard-sentences-ko.yaml"])
def test_no_template_holds_one(name: str) -> None:
    templates = caption_templates.load(ROOT / "config" / name)
    sentences = [sentence for key in templates.sentences for sentence in templates.wordings(key)]

    assert sentences
    assert [sentence for sentence in sentences if sensitive_words.found(sentence.split())] == []


def test_no_phrase_of_the_shipped_bundle_speaks_of_the_colour_of_a_person(shipped: Vocabulary) -> None:
    held = phrases.load(SHIPPED / bundle.load(SHIPPED).files["phrases"].name, shipped)
    pairs = {run for run in sensitive_words.runs(shipped.ids) if len(run) == 2}

    assert [phrase for phrase in held if any(phrase[at : at + 2] in pairs for at in range(len(phrase)))] == []


def test_the_manifest_names_dangers_by_none_of_them() -> None:
    manifest = msgspec.json.decode((SHIPPED / bundle.MANIFEST).read_bytes())
    expressions = [expression for found in manifest["hazards"].values() for expression in found]

    assert [expression for expression in expressions if sensitive_words.found(expression.split())] == []

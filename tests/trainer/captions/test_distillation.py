"""Sentences of a bundle's own beam that a decoder learns from beside the references."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from contract import vocabulary
from tests.trainer import small_data
from trainer.captions import distillation
from trainer.captions.distillation import DistilledBatches, Kept
from trainer.data.example import CaptionExample
from trainer.errors import CheckpointError
from trainer.metrics import CiderD
from trainer.models.decoder import Decoder
from trainer.training.caption_batches import CaptionFeatures

WORDS = vocabulary.of(("a", "dog", "runs", "cat", "sleeps", "on", "grass", "person"))


def words(sentence: str) -> tuple[str, ...]:
    return tuple(sentence.split())


def example(*sentences: str, label: str = "") -> CaptionExample:
    return CaptionExample(Path("x.jpg"), tuple(map(words, sentences)), "drawn", label)


EXAMPLES = [example("a dog runs", "a dog runs on grass"), example("a cat sleeps"), example("a person", label="gun")]


def test_the_sentence_nearest_to_the_references_comes_first() -> None:
    references = [words("a dog runs on grass"), words("a dog runs")]
    cider = CiderD([references, [words("a cat sleeps")]])
    spoken = {words("a cat sleeps"): -0.1, words("a dog sleeps"): -0.1, words("a dog runs on grass"): -0.5}

    found = distillation.nearest(spoken, references, cider)

    assert found == [words("a dog runs on grass"), words("a dog sleeps"), words("a cat sleeps")]


def test_of_two_that_are_as_near_the_more_probable_one_comes_first() -> None:
    cider = CiderD([[words("a dog runs")], [words("a cat sleeps")]])
    spoken = {words("a"): -2.0, words("on grass"): -1.0}

    assert distillation.nearest(spoken, [words("a cat sleeps")], cider)[0] == words("on grass")


def test_a_thing_that_nobody_wrote_of_costs_a_sentence_its_place() -> None:
    cider = CiderD([[words("a dog runs")], [words("a cat sleeps")]])
    spoken = {words("person"): -0.1, words("on grass"): -0.2}

    assert distillation.nearest(spoken, [words("a cat sleeps")], cider)[0] == words("on grass")


def test_sentences_with_words_that_the_new_vocabulary_lacks_are_left_out() -> None:
    assert distillation.sayable([[words("a zebra runs"), words("a dog runs")], []], WORDS) == [
        [words("a dog runs")],
        [],
    ]


def test_a_batch_holds_chosen_sentences_first_and_references_after_them(tmp_path: Path) -> None:
    how = small_data.recipe(
        tmp_path,
        training={"batch_size": 3, "captions_per_image": 1, "hazard_share": 0.5},
        distillation={"captions_per_image": 2},
    )
    seen = CaptionFeatures(EXAMPLES, (np.zeros((3, 2, 4), np.float16),))
    made = DistilledBatches(seen, WORDS, how, [[words("a dog sleeps")], []])

    (_, tokens), targets = made[0]

    assert tokens.shape[:2] == (3, 3)
    said = {
        tuple(WORDS.decode([int(token) for token in row])): place
        for group in targets
        for place, row in enumerate(group)
    }
    assert said[words("a dog sleeps")] in {0, 1}
    assert words("a cat sleeps") in said
    assert words("a person") in said


def test_what_reads_the_picture_is_put_back_and_what_says_words_stays_as_taught() -> None:
    sizes = {"embedding": 4, "state": 5, "attention": 3, "context": 4, "dropout": 0.0, "max_tokens": 6}
    taught, untaught = (Decoder(len(WORDS), sizes) for _ in range(2))
    for model in (taught, untaught):
        model((np.zeros((1, 2, 8), np.float32), np.zeros((1, 1, 6), np.int32)))
    said = np.array(taught.spoken.get_weights()[0])

    distillation.put_back_view(taught, untaught)

    assert (taught.keys.get_weights()[0] == untaught.keys.get_weights()[0]).all()
    assert (taught.spoken.get_weights()[0] == said).all()
    assert (said != untaught.spoken.get_weights()[0]).any()


def test_sentences_chosen_for_other_images_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sentences.json"
    path.write_bytes(msgspec.json.encode(Kept("of others", [])))

    with pytest.raises(CheckpointError, match="remove it to search again"):
        distillation._read(path, "of these")

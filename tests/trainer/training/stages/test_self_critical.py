"""Tuning on CIDEr-D itself: who is judged against whom, and where the probability goes."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import tensorflow as tf

from contract.vocabulary import END, PAD, START, UNKNOWN, of
from tests.trainer import small_data
from trainer.data.example import CaptionExample
from trainer.models import decoder
from trainer.recipe.recipe import Recipe
from trainer.tokenizers.english import split as words_of
from trainer.training.caption_batches import CaptionFeatures
from trainer.training.stages import captioner, self_critical
from trainer.training.stages.self_critical import Reward, SelfCriticalBatches, SelfCriticalModel

SENTENCES = ("a red wall", "the green door is open", "two white dogs run", "a blue car on a street")
WORDS = of(sorted({word for sentence in SENTENCES for word in sentence.split()}))
CELLS, DEPTH, LENGTH = 3, 5, 7
SIZES = {"embedding": 12, "state": 16, "attention": 8, "context": 8, "dropout": 0.0, "max_tokens": LENGTH}


@pytest.fixture
def cached() -> CaptionFeatures:
    examples = [CaptionExample(Path(f"{row}.jpg"), (words_of(said),), "set") for row, said in enumerate(SENTENCES)]
    features = np.random.default_rng(8).normal(size=(len(examples), CELLS, DEPTH)).astype(np.float16)
    return CaptionFeatures(examples, (features,))


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    tuning = {"epochs": 1, "batch_size": 4, "samples": 8, "likelihood_weight": 0.0}
    return small_data.recipe(
        tmp_path, decoder=SIZES, self_critical=tuning, training={"batch_size": 4, "captions_per_image": 1}
    )


def tokens_of(*sentences: str) -> Any:
    """Return sentences as the drawing does: ended and padded, [R, T]."""
    rows = [WORDS.encode(sentence.split())[1:] for sentence in sentences]
    return np.array([row + [PAD] * (LENGTH - len(row)) for row in rows], np.int32)


def test_a_sentence_is_judged_against_the_others_of_its_image(cached: CaptionFeatures) -> None:
    drawn = np.stack(
        [tokens_of("a red wall", "a red car", "two dogs"), tokens_of("a red wall", "two dogs", "a street")]
    )

    advantage = Reward(cached, WORDS).advantage(np.array([0, 1]), drawn)

    assert advantage.shape == (2, 3)
    np.testing.assert_allclose(advantage.sum(1), 0, atol=1e-5)
    assert advantage[0].argmax() == 0
    assert advantage[0, 0] > advantage[0, 1] > advantage[0, 2]


def test_the_advantage_is_the_reward_less_the_mean_of_the_others(cached: CaptionFeatures) -> None:
    reward = Reward(cached, WORDS)
    drawn = tokens_of("a red wall", "a red car", "two dogs")[None]
    ends = [(*words_of(SENTENCES[0]), "</s>")]
    each = [reward.cider.score([*WORDS.decode(row.tolist()), "</s>"], ends) for row in drawn[0]]

    advantage = reward.advantage(np.array([0]), drawn)[0]

    np.testing.assert_allclose(advantage, [each[n] - np.mean(np.delete(each, n)) for n in range(3)], rtol=1e-4)


def test_equal_sentences_teach_nothing(cached: CaptionFeatures) -> None:
    drawn = tokens_of(*["a red wall"] * 4)[None]

    np.testing.assert_allclose(Reward(cached, WORDS).advantage(np.array([0]), drawn), 0, atol=1e-5)


def test_the_gradient_raises_the_better_sentence_and_lowers_the_worse() -> None:
    drawn = tokens_of("a red wall", "two dogs run")[None]
    odds = tf.Variable(tf.zeros((1, 2, LENGTH, len(WORDS))))
    with tf.GradientTape() as tape:
        loss = self_critical.policy_loss(odds, drawn, tf.constant([[1.5, -1.5]]))
    odds.assign_sub(10.0 * tape.gradient(loss, odds))

    chosen = tf.gather(tf.nn.log_softmax(odds), drawn, axis=-1, batch_dims=3).numpy()[0]
    unmoved = -np.log(len(WORDS))
    assert (chosen[0, :4] > unmoved).all()
    assert (chosen[1, :4] < unmoved).all()
    np.testing.assert_allclose(chosen[:, 4:], unmoved, rtol=1e-5)


def test_drawn_sentences_hold_only_words_and_are_padded_after_their_end(
    cached: CaptionFeatures, recipe: Recipe
) -> None:
    model = decoder.Decoder(len(WORDS), SIZES)
    tf.random.set_seed(9)
    drawn = self_critical.draw(model, tf.constant(cached.maps[0], tf.float32), 64, LENGTH).numpy()

    assert drawn.shape == (len(SENTENCES), 64, LENGTH)
    assert drawn.dtype == np.int32
    sentences = drawn.reshape(-1, LENGTH).tolist()
    assert any(END in sentence[:-1] for sentence in sentences)
    for sentence in sentences:
        ended = sentence.index(END) + 1 if END in sentence else LENGTH
        assert set(sentence[ended:]) <= {PAD}
        assert not {PAD, START, UNKNOWN} & set(sentence[:ended])
    assert len({tuple(sentence) for sentence in sentences}) > 100


def test_batches_say_which_images_they_show(cached: CaptionFeatures, recipe: Recipe) -> None:
    (cells, _), (targets, rows) = SelfCriticalBatches(cached, WORDS, recipe, shuffled=True)[0]

    np.testing.assert_array_equal(cells, cached.maps[0][rows])
    np.testing.assert_array_equal(targets[:, 0], tokens_of(*SENTENCES)[rows])


@pytest.mark.parametrize("mixed", [False, True], ids=["float32", "bfloat16"])
def test_tuning_makes_drawn_sentences_better(cached: CaptionFeatures, recipe: Recipe, mixed: bool) -> None:
    tf.keras.utils.set_random_seed(10)
    reward = Reward(cached, WORDS)
    with captioner.precision(msgspec.structs.replace(recipe.training, mixed_precision=mixed)):
        inner = captioner.build(recipe, WORDS, DEPTH)
        model = SelfCriticalModel(inner, reward, recipe)
    model.compile(optimizer=tf.keras.optimizers.Adam(0.02))

    def mean_reward() -> float:
        drawn = self_critical.draw(inner, tf.constant(cached.maps[0], tf.float32), 32, LENGTH).numpy()
        scores = [
            reward.cider.score(WORDS.decode(tokens.tolist()), cached.examples[row].sentences)
            for row, group in enumerate(drawn)
            for tokens in group
        ]
        return float(np.mean(scores))

    before = mean_reward()
    model.fit(SelfCriticalBatches(cached, WORDS, recipe, shuffled=True), epochs=80, verbose=0)

    assert mean_reward() > 1.5 * before

"""The network that speaks: shapes, losses, and the same arithmetic whether it is taught or speaks step by step."""

from typing import Any

import msgspec
import numpy as np
import pytest
import tensorflow as tf

from contract.vocabulary import PAD, START
from trainer.models import decoder
from trainer.recipe import recipe

SIZES = recipe.Decoder(embedding=6, state=10, attention=7, context=8, dropout=0.5, max_tokens=5)
PICTURES, SENTENCES, LENGTH, CELLS, DEPTH, WORDS = 2, 3, 5, 4, 9, 11


@pytest.fixture(scope="module")
def model() -> decoder.Decoder:
    tf.keras.utils.set_random_seed(1)
    made = decoder.Decoder(WORDS, msgspec.to_builtins(SIZES))
    made((np.zeros((1, CELLS, DEPTH), np.float32), np.zeros((1, 1, LENGTH), np.int32)))
    made.set_weights(
        [weights + np.random.default_rng(1).normal(0, 0.3, weights.shape) for weights in made.get_weights()]
    )
    return made


@pytest.fixture
def inputs() -> tuple[Any, Any]:
    random = np.random.default_rng(2)
    tokens = random.integers(4, WORDS, (PICTURES, SENTENCES, LENGTH)).astype(np.int32)
    tokens[:, :, 0] = START
    return random.normal(size=(PICTURES, CELLS, DEPTH)).astype(np.float32), tokens


def test_pseudo_label_network_forcing_gives_log_odds_of_every_next_word(model: decoder.Decoder, inputs: Any) -> None:
    odds = model(inputs)

    assert odds.shape == (PICTURES, SENTENCES, LENGTH, WORDS)
    assert odds.dtype == tf.float32


def test_speaking_step_by_step_equals_pseudo_label_network_forcing(model: decoder.Decoder, inputs: Any) -> None:
    cells, tokens = inputs
    taught = model(inputs).numpy()

    keys, values, state = model.look(tf.constant(cells))
    state = tf.repeat(state[:, None], SENTENCES, 1)
    for at in range(LENGTH):
        embedded = model.embedding(tokens[:, :, at])
        context, state, attention = model.step(model.token_gates(embedded), state, keys, values)

        np.testing.assert_allclose(model.say(state, context, embedded), taught[:, :, at], atol=1e-5)
        np.testing.assert_allclose(attention.numpy().sum(-1), 1, atol=1e-5)


def test_one_step_has_the_shapes_it_promises(model: decoder.Decoder, inputs: Any) -> None:
    keys, values, state = model.look(tf.constant(inputs[0]))
    embedded = model.embedding(tf.fill([PICTURES, SENTENCES], START))
    states = tf.repeat(state[:, None], SENTENCES, 1)
    context, moved, attention = model.step(model.token_gates(embedded), states, keys, values)

    assert keys.shape == (PICTURES, CELLS, SIZES.attention)
    assert values.shape == (PICTURES, CELLS, SIZES.context)
    assert state.shape == (PICTURES, SIZES.state)
    assert context.shape == (PICTURES, SENTENCES, SIZES.context)
    assert moved.shape == (PICTURES, SENTENCES, SIZES.state)
    assert attention.shape == (PICTURES, SENTENCES, CELLS)
    assert model.say(moved, context, embedded).shape == (PICTURES, SENTENCES, WORDS)
    assert model.say(moved[0], context[0], embedded[0]).shape == (SENTENCES, WORDS)


def test_a_word_depends_on_those_before_it_and_on_none_after(model: decoder.Decoder, inputs: Any) -> None:
    cells, tokens = inputs
    other = tokens.copy()
    other[:, :, 3] = 4 + (tokens[:, :, 3] - 3) % (WORDS - 4)

    before, after = model((cells, tokens)).numpy(), model((cells, other)).numpy()

    np.testing.assert_allclose(before[:, :, :3], after[:, :, :3], atol=1e-6)
    assert np.abs(before[:, :, 3:] - after[:, :, 3:]).min(-1).max() > 1e-4


def test_sentences_of_an_image_do_not_touch_each_other(model: decoder.Decoder, inputs: Any) -> None:
    cells, tokens = inputs

    together = model((cells, tokens)).numpy()
    alone = model((cells, tokens[:, 1:2])).numpy()

    np.testing.assert_allclose(alone[:, 0], together[:, 1], atol=1e-5)


def test_dropout_is_for_training_alone(model: decoder.Decoder, inputs: Any) -> None:
    np.testing.assert_array_equal(model(inputs), model(inputs))
    assert np.abs(model(inputs, training=True) - model(inputs)).max() > 1e-3


def test_the_network_is_rebuilt_from_its_configuration(model: decoder.Decoder, inputs: Any) -> None:
    again = decoder.Decoder.from_config(model.get_config())
    again(inputs)
    again.set_weights(model.get_weights())

    np.testing.assert_allclose(again(inputs), model(inputs), atol=1e-6)


def test_the_loss_is_the_mean_cross_entropy_of_the_words() -> None:
    odds = np.log(np.array([[[[0.1, 0.2, 0.7], [0.25, 0.5, 0.25]]]], np.float32))
    targets = np.array([[[2, 1]]])

    assert float(decoder.masked_loss(0.0)(targets, odds)) == pytest.approx(-(np.log(0.7) + np.log(0.5)) / 2, rel=1e-5)


def test_label_smoothing_gives_every_word_its_part() -> None:
    odds = np.log(np.array([[[[0.1, 0.2, 0.7]]]], np.float32))
    wanted = -(0.7 * np.log(0.7) + 0.3 * np.log([0.1, 0.2, 0.7]).mean())

    assert float(decoder.masked_loss(0.3)(np.array([[[2]]]), odds)) == pytest.approx(wanted, rel=1e-5)


def test_padding_costs_nothing() -> None:
    random = np.random.default_rng(3)
    odds = random.normal(size=(2, 2, 6, WORDS)).astype(np.float32)
    targets = random.integers(4, WORDS, (2, 2, 6))
    targets[:, :, 3:] = PAD
    whole = decoder.masked_loss(0.1)(targets, odds)
    odds[:, :, 3:] = 1e3 * random.normal(size=(2, 2, 3, WORDS))

    assert float(decoder.masked_loss(0.1)(targets, odds)) == pytest.approx(float(whole))
    assert float(decoder.masked_loss(0.1)(targets[:, :, :3], odds[:, :, :3])) == pytest.approx(float(whole))


def test_nothing_but_padding_is_no_division_by_zero() -> None:
    assert float(decoder.masked_loss(0.1)(np.zeros((1, 1, 2), int), np.ones((1, 1, 2, WORDS), np.float32))) == 0

"""Beam search over many images at once."""

from typing import Any

import msgspec
import numpy as np
import pytest
import tensorflow as tf

from contract.bundle import Decoding
from contract.vocabulary import END, PAD, START, UNKNOWN, of
from trainer.models import beam_search, decoder
from trainer.recipe import recipe

WORDS = of(f"w{number}" for number in range(8))
PICTURES, CELLS, DEPTH, LENGTH = 5, 4, 6, 7
SIZES = recipe.Decoder(embedding=6, state=10, attention=7, context=8, dropout=0.0, max_tokens=LENGTH)


@pytest.fixture(scope="module")
def model() -> decoder.Decoder:
    """A captioner with strong opinions, none of them learnt; END and UNKNOWN are dear to it."""
    made = decoder.Decoder(len(WORDS), msgspec.to_builtins(SIZES))
    made((np.zeros((1, CELLS, DEPTH), np.float32), np.zeros((1, 1, LENGTH), np.int32)))
    random = np.random.default_rng(4)
    made.set_weights([random.normal(0, 1, weights.shape) for weights in made.get_weights()])
    bias = np.zeros(len(WORDS), np.float32)
    bias[[PAD, START, UNKNOWN]], bias[END] = 4.0, 0.5
    made.bias.assign(bias)
    return made


@pytest.fixture(scope="module")
def cells() -> Any:
    return np.random.default_rng(5).normal(size=(PICTURES, CELLS, DEPTH)).astype(np.float32)


def how(width: int, alpha: float = 0.0, length: int = LENGTH) -> Decoding:
    return Decoding(beam_width=width, max_tokens=length, length_penalty=alpha)


def said(tokens: Any) -> list[int]:
    """Return the tokens up to END with it, or all."""
    ids = [int(token) for token in tokens]
    return ids[: ids.index(END) + 1] if END in ids else ids


def log_probs(model: decoder.Decoder, example: Any, tokens: list[int]) -> Any:
    """Return the log-probabilities of each next word after START and each of these tokens, by teacher forcing."""
    odds = model((example[None], np.array([[[START, *tokens]]], np.int32)))[0, 0]
    return tf.nn.log_softmax(odds).numpy()


def score(model: decoder.Decoder, example: Any, tokens: list[int]) -> float:
    return float(sum(log_probs(model, example, tokens)[at, token] for at, token in enumerate(tokens)))


def test_a_beam_of_one_takes_the_best_word_each_time(model: decoder.Decoder, cells: Any) -> None:
    for example, tokens in zip(cells, beam_search.search(model, cells, how(1)), strict=True):
        spoken: list[int] = []
        while len(spoken) < LENGTH and END not in spoken:
            odds = log_probs(model, example, spoken)[-1].copy()
            odds[[PAD, START, UNKNOWN]] = -np.inf
            spoken.append(int(odds.argmax()))

        assert said(tokens) == spoken


@pytest.mark.parametrize("width", [2, 3, 5])
def test_a_wider_beam_finds_nothing_worse_than_the_greedy_sentence(
    model: decoder.Decoder, cells: Any, width: int
) -> None:
    greedy = [score(model, p, said(t)) for p, t in zip(cells, beam_search.search(model, cells, how(1)), strict=True)]
    beamed = [
        score(model, p, said(t)) for p, t in zip(cells, beam_search.search(model, cells, how(width)), strict=True)
    ]

    assert all(wide >= narrow - 1e-4 for wide, narrow in zip(beamed, greedy, strict=True))
    assert max(wide - narrow for wide, narrow in zip(beamed, greedy, strict=True)) > 0.01


def test_a_beam_that_holds_everything_finds_the_best_sentence_there_is(model: decoder.Decoder, cells: Any) -> None:
    allowed = [END, *range(4, len(WORDS))]
    sentences = [(first, second) for first in allowed[1:] for second in allowed]
    inputs = np.array([[(START, first) for first, _ in sentences]], np.int32)

    found = beam_search.search(model, cells, how(len(allowed), length=2))

    for example, tokens in zip(cells, found, strict=True):
        odds = tf.nn.log_softmax(model((example[None], inputs)))[0].numpy()
        totals = {pair: float(odds[row, 0, pair[0]] + odds[row, 1, pair[1]]) for row, pair in enumerate(sentences)}
        best = max(totals, key=lambda pair: totals[pair])
        silence = float(odds[0, 0, END])
        assert said(tokens) == ([END] if silence > totals[best] else list(best))


def test_what_may_not_be_said_never_is(model: decoder.Decoder, cells: Any) -> None:
    for width in (1, 4):
        for tokens in beam_search.search(model, cells, how(width)):
            assert not {PAD, START, UNKNOWN} & set(said(tokens))


def test_after_its_end_a_sentence_is_padding(model: decoder.Decoder, cells: Any) -> None:
    found = [tokens.tolist() for tokens in beam_search.search(model, cells, how(3))]

    assert any(END in tokens[:-1] for tokens in found)
    assert {token for tokens in found for token in tokens[len(said(tokens)) :]} <= {PAD}


def test_searching_stops_as_soon_as_every_sentence_has_ended(model: decoder.Decoder, cells: Any) -> None:
    bias = model.bias.numpy().copy()
    model.bias.assign(np.where(np.arange(len(WORDS)) == END, 1e4, bias))
    try:
        found = beam_search.search(model, cells, how(2))
    finally:
        model.bias.assign(bias)

    assert [said(tokens) for tokens in found] == [[END]] * PICTURES
    assert len(found[0]) < LENGTH


def test_length_normalisation_favours_longer_sentences(model: decoder.Decoder, cells: Any) -> None:
    plain = sum(len(said(tokens)) for tokens in beam_search.search(model, cells, how(5, 0.0)))
    normalised = sum(len(said(tokens)) for tokens in beam_search.search(model, cells, how(5, 2.0)))

    assert normalised > plain
    assert beam_search.length_norm(1, 0.7) == 1.0
    assert beam_search.length_norm(7, 1.0) == 2.0


def test_images_are_captioned_of_in_order_whatever_the_batch(model: decoder.Decoder, cells: Any) -> None:
    together = list(beam_search.captions(model, cells, WORDS, how(3)))
    apart = list(beam_search.captions(model, cells, WORDS, how(3), batch=2))

    assert together == apart
    assert len(together) == PICTURES
    assert {word for words in together for word in words} <= set(WORDS.words[4:])


def test_with_consensus_the_sentence_that_the_beam_agrees_on_is_said(model: decoder.Decoder, cells: Any) -> None:
    asked = msgspec.structs.replace(how(8), consensus=4.0)

    probable = [said(tokens) for tokens in beam_search.search(model, cells, how(8))]
    agreed = [said(tokens) for tokens in beam_search.search(model, cells, asked)]

    assert probable != agreed
    worse = [score(model, p, a) - score(model, p, b) for p, a, b in zip(cells, agreed, probable, strict=True)]
    assert max(worse) < 1e-4

"""Beam search, on decoders small enough to know every sentence."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.vocabulary import END, SPECIALS
from edge.infer import beam
from edge.infer.phrase_prior import Phrases

A, B, C = len(SPECIALS), len(SPECIALS) + 1, len(SPECIALS) + 2
WORDS = len(SPECIALS) + 3
EVERY = beam.Plan(width=WORDS**3, max_tokens=3, length_penalty=0.7, block_trigrams=False)


def decoder(table: dict[int, dict[int, float]]) -> beam.Step:
    """A decoder whose next word depends on the last one alone; its state counts the steps."""

    def step(tokens: beam.Ints, state: beam.Floats) -> tuple[beam.Floats, beam.Floats, beam.Floats]:
        log_probs = np.full((len(tokens), WORDS), -np.inf, np.float32)
        for row, token in enumerate(tokens.tolist()):
            for word, probability in table.get(token, {END: 1.0}).items():
                log_probs[row, word] = math.log(probability)
        return log_probs, state + 1, np.repeat(state, 2, axis=1)

    return step


def plan(**changes: object) -> beam.Plan:
    known = {"width": 2, "max_tokens": 6, "length_penalty": 0.0, "block_trigrams": True}
    return beam.Plan(**(known | changes))  # type: ignore[arg-type]  # the tests' own keywords


ZERO = np.zeros((1, 1), np.float32)
START = 1


def test_the_beam_finds_what_greed_misses() -> None:
    step = decoder({START: {A: 0.6, B: 0.4}, A: {A: 0.3, B: 0.3, C: 0.3, END: 0.1}, B: {C: 1.0}})

    greedy = beam.search(step, ZERO, plan(width=1))
    wide = beam.search(step, ZERO, plan(width=3))

    assert greedy[0].tokens[0] == A
    assert wide[0].tokens == (B, C, END)
    assert wide[0].total == pytest.approx(math.log(0.4))


def test_a_sentence_carries_the_log_probability_of_each_token() -> None:
    step = decoder({START: {A: 0.5, B: 0.5}, A: {END: 0.8, B: 0.2}})

    best = beam.search(step, ZERO, plan(width=1))[0]

    assert best.tokens == (A, END)
    assert best.log_probs == pytest.approx((math.log(0.5), math.log(0.8)))


def test_attention_and_state_follow_the_hypothesis_they_belong_to() -> None:
    step = decoder({START: {A: 0.5, B: 0.5}, A: {C: 1.0}, B: {C: 1.0}, C: {END: 1.0}})

    best = beam.search(step, ZERO, plan())[0]

    assert [row.tolist() for row in best.attention] == [[0, 0], [1, 1], [2, 2]]


def test_length_normalisation_lets_the_longer_sentence_win() -> None:
    step = decoder({START: {A: 0.5, B: 0.5}, A: {END: 0.9, C: 0.1}, B: {C: 0.85, END: 0.15}, C: {END: 1.0}})

    assert beam.search(step, ZERO, plan(length_penalty=0.0))[0].tokens == (A, END)
    assert beam.search(step, ZERO, plan(length_penalty=1.0))[0].tokens == (B, C, END)


def test_three_words_in_a_row_are_not_said_twice() -> None:
    step = decoder({START: {A: 1.0}, A: {B: 1.0}, B: {C: 1.0}, C: {A: 0.9, END: 0.1}})

    blocked = beam.search(step, ZERO, plan(width=1, max_tokens=9))[0]
    free = beam.search(step, ZERO, plan(width=1, max_tokens=9, block_trigrams=False))[0]

    assert blocked.tokens == (A, B, C, A, B)
    assert free.tokens == (A, B, C) * 3


def test_a_sentence_without_end_stops_at_the_limit() -> None:
    step = decoder({START: {A: 1.0}, A: {A: 1.0}})

    assert beam.search(step, ZERO, plan(max_tokens=4, block_trigrams=False))[0].tokens == (A,) * 4


def test_neither_special_words_nor_nothing_are_ever_said() -> None:
    step = decoder({START: {END: 0.6, 0: 0.1, 1: 0.1, 3: 0.1, A: 0.1}, A: {3: 0.5, END: 0.5}})

    assert [found.tokens for found in beam.search(step, ZERO, plan())] == [(A, END)]


def _sentences(log_probs: np.ndarray, max_tokens: int) -> dict[tuple[int, ...], float]:
    """Return every sentence of at most `max_tokens` with its log-probability."""
    words = [A, B, C]
    found: dict[tuple[int, ...], float] = {}
    for length in range(1, max_tokens + 1):
        for said in itertools.product(words, repeat=length):
            total = sum(log_probs[now, after] for now, after in itertools.pairwise((START, *said)))
            if length < max_tokens:
                found[*said, END] = total + log_probs[said[-1], END]
            else:
                found[said] = total
    return found


@given(st.integers(0, 2**32 - 1))
def test_a_beam_as_wide_as_the_language_finds_its_best_sentence(seed: int) -> None:
    table = np.random.default_rng(seed).normal(0, 2, (WORDS, WORDS))
    log_probs = (table - np.log(np.exp(table).sum(axis=1, keepdims=True))).astype(np.float32)

    def step(tokens: beam.Ints, state: beam.Floats) -> tuple[beam.Floats, beam.Floats, beam.Floats]:
        return log_probs[tokens].copy(), state, np.zeros((len(tokens), 1), np.float32)

    found = beam.search(step, ZERO, EVERY)
    every = _sentences(log_probs, EVERY.max_tokens)
    scores = {said: total / ((5 + len(said)) / 6) ** EVERY.length_penalty for said, total in every.items()}

    assert {hypothesis.tokens for hypothesis in found} == set(every)
    assert found[0].score(EVERY.length_penalty) == pytest.approx(max(scores.values()), abs=1e-4)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_the_best_of_many_numbers_are_those_that_sorting_all_of_them_finds(seed: int, count: int) -> None:
    ranks = np.random.default_rng(seed).normal(0, 2, (5, 1_000)).astype(np.float32).round(2)
    ranks[:, seed % 1_000 :: 3] = -np.inf

    found = beam._best(ranks, count)

    assert [ranks[place] for place in found] == sorted(ranks.ravel().tolist(), reverse=True)[:count]
    assert len(set(found)) == count


def test_where_no_word_is_possible_none_is_the_best() -> None:
    assert beam._best(np.full((4, 1_000), -np.inf, np.float32), 8) == []


def test_a_further_silence_leaves_what_it_was_made_from_as_it_was() -> None:
    step = decoder({START: {A: 1.0}, A: {B: 0.25, C: 0.25, END: 0.5}})
    silence = beam.Silence([(A, B)])

    further = silence.joined([], np.array([C], np.int32))

    assert [said.tokens for said in beam.search(step, ZERO, plan(width=3), further)] == [(A, END)]
    assert {said.tokens for said in beam.search(step, ZERO, plan(width=3), silence)} == {(A, END), (A, C, END)}


def test_where_something_is_expected_what_could_have_ended_may_be_chosen_as_well() -> None:
    step = decoder({START: {A: 1.0}, A: {B: 0.9, END: 0.1}, B: {C: 0.999, END: 0.001}, C: {END: 1.0}})
    expectation = Phrases({(A,): 1.0}).of(np.zeros(1, np.float32), pull=1.0)

    narrow = beam.search(step, ZERO, plan(width=1))
    judged = beam.search(step, ZERO, plan(width=1), expectation=expectation)

    assert [said.tokens for said in narrow] == [(A, B, C, END)]
    assert [said.tokens for said in judged] == [(A, B, C, END), (A, END)]
    assert judged[1].total == pytest.approx(math.log(0.1))


def test_a_forbidden_run_is_never_completed() -> None:
    step = decoder({START: {A: 1.0}, A: {B: 0.9, C: 0.1}, B: {C: 0.5, END: 0.5}})

    silenced = beam.search(step, ZERO, plan(width=3), beam.Silence([(A, B), (B, C)]))

    assert {sentence.tokens for sentence in silenced} == {(A, C, END)}


def test_what_leads_up_to_a_forbidden_word_is_given_up_for_what_does_not() -> None:
    step = decoder({START: {A: 0.9, B: 0.1}, A: {C: 0.95, END: 0.05}, B: {END: 1.0}})

    free = beam.search(step, ZERO, plan(width=2))[0]
    silenced = beam.search(step, ZERO, plan(width=2), beam.Silence([(C,)]))[0]

    assert free.tokens == (A, C, END)
    assert silenced.tokens == (B, END)


def test_the_last_hypothesis_alive_is_kept_even_if_it_leads_up_to_a_forbidden_word() -> None:
    step = decoder({START: {A: 1.0}, A: {C: 0.95, B: 0.05}})

    silenced = beam.search(step, ZERO, plan(width=2), beam.Silence([(C,)]))[0]

    assert silenced.tokens == (A, B, END)

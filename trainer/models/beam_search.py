"""Beam search over many images at once, for scoring while training.

The device has its own search, one image at a time (`edge.infer.beam`); this one shares its length normalisation and
its consensus, but it uses no phrase prior: a bundle with phrases scores higher.
Dimensions: B images, K hypotheses an image, N cells, D numbers a cell, S state, V words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from contract.bundle import Decoding
from contract.vocabulary import END, PAD, START, UNKNOWN, Vocabulary
from trainer.models import consensus
from trainer.models.decoder import Decoder

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

NEVER = -1e9
"""Log-probability of tokens that are never generated."""


@dataclass(slots=True)
class Beams:
    """The hypotheses of B images."""

    tokens: Ints
    """[B, K, T] so far, beginning with START."""
    scores: Floats
    """[B, K] sum of log-probabilities."""
    ended: npt.NDArray[np.bool_]
    """[B, K]."""


def captions(
    model: Decoder, cells: Any, vocabulary: Vocabulary, how: Decoding, *, batch: int = 64
) -> Iterator[list[str]]:
    """Yield the best sentence, as words, for each row of cells [M, N, D]."""
    for at in range(0, len(cells), batch):
        for tokens in search(model, np.asarray(cells[at : at + batch], np.float32), how):
            yield vocabulary.decode([int(token) for token in tokens])


def search(model: Decoder, cells: Floats, how: Decoding) -> Sequence[Ints]:
    """Return the chosen hypothesis of each image, as token ids without START."""
    keys, values, first = _look(model, cells)
    count, width = len(cells), how.beam_width
    beams = Beams(
        tokens=np.full((count, width, 1), START, np.int64),
        scores=np.tile(np.array([0.0] + [NEVER] * (width - 1), np.float32), (count, 1)),
        ended=np.zeros((count, width), bool),
    )
    state = np.repeat(first.numpy()[:, None], width, 1)
    for _ in range(how.max_tokens):
        log_probs, next_state = _advance(model, beams.tokens[:, :, -1].astype(np.int32), state, keys, values)
        parents = _extend(beams, log_probs.numpy())
        state = np.take_along_axis(next_state.numpy(), parents[:, :, None], 1)
        if beams.ended.all():
            break
    if how.consensus:
        best = np.array([_agreed(*row, how.consensus) for row in zip(beams.tokens, beams.scores, strict=True)])
        return list(beams.tokens[np.arange(count), best, 1:])
    lengths = (beams.tokens != PAD).sum(-1) - 1
    best = (beams.scores / length_norm(lengths, how.length_penalty)).argmax(1)
    return list(beams.tokens[np.arange(count), best, 1:])


def _agreed(tokens: Ints, scores: Floats, temperature: float) -> int:
    """Return the hypothesis [K, T] that the beam agrees on; unused places of the beam are ignored."""
    taken = np.flatnonzero(scores > NEVER / 2)
    sentences = [[int(token) for token in tokens[row] if token not in (PAD, START, END)] for row in taken]
    return int(taken[consensus.agreed(sentences, scores[taken], temperature)])


def length_norm(lengths: Any, alpha: float) -> Any:
    """Return ((5 + n) / 6) ** alpha (Wu et al. 2016, equation 14)."""
    return ((5.0 + lengths) / 6.0) ** alpha


def _extend(beams: Beams, log_probs: Floats) -> Ints:
    """Extend every hypothesis by its best words, keep the best K, and return each one's parent [B, K]."""
    count, width, words = log_probs.shape
    log_probs[:, :, [PAD, START, UNKNOWN]] = NEVER
    only_pad = np.full(words, NEVER, np.float32)
    only_pad[PAD] = 0.0
    log_probs[beams.ended] = only_pad
    totals = (beams.scores[:, :, None] + log_probs).reshape(count, -1)
    best = np.argpartition(-totals, width, axis=1)[:, :width]
    order = np.argsort(-np.take_along_axis(totals, best, 1), axis=1)
    best = np.take_along_axis(best, order, 1)
    parents: Ints = best // words
    chosen = best % words
    beams.scores = np.take_along_axis(totals, best, 1)
    beams.ended = np.take_along_axis(beams.ended, parents, 1) | (chosen == END)
    kept = np.take_along_axis(beams.tokens, parents[:, :, None], 1)
    beams.tokens = np.concatenate([kept, chosen[:, :, None]], 2)
    return parents


@tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]  # TensorFlow has no stubs
def _look(model: Decoder, cells: Any) -> tuple[Any, Any, Any]:
    keys, values, state = model.look(tf.cast(cells, model.compute_dtype))
    return keys, values, tf.cast(state, tf.float32)


@tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]  # TensorFlow has no stubs
def _advance(model: Decoder, tokens: Any, state: Any, keys: Any, values: Any) -> tuple[Any, Any]:
    """Tokens int32 [B, K] and state [B, K, S] -> log-probabilities [B, K, V] and next state [B, K, S]."""
    embedded = model.embedding(tokens)
    state = tf.cast(state, model.compute_dtype)
    context, state, _ = model.step(model.token_gates(embedded), state, keys, values)
    return tf.nn.log_softmax(model.say(state, context, embedded)), tf.cast(state, tf.float32)

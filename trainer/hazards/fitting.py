"""Fits the classifier, of many samples at once: the numbers are the same for all, only what may be learnt from differs.

A linear classifier and one with a hidden layer beside it, whose mean is taken. Features are the maximum of each number
over the cells: their mean says most about the room. Dimensions: M views, D features, H dangers, K samples, Q hidden.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import tensorflow as tf

from trainer.hazards.arrays import Floats, Ints, Names
from trainer.hazards.recipe import Fit

FLOOR: Final = 0.1
"""Added to each feature's deviation, so that one that is hardly ever there is not blown up."""

FURTHEST: Final = 3.0
"""Deviations from the mean at which a feature is cut off: an unusual room must not outweigh all else."""

SMOOTHING: Final = 0.01

LINEAR_RATE: Final = 4e-3
HIDDEN_RATE: Final = 3e-3
DROPPED: Final = 0.3
HIDDEN_DROPPED: Final = 0.5
DECAY: Final = 0.03

CHUNK: Final = 4096


@dataclass(frozen=True, slots=True)
class Scale:
    """Where each feature lies, and how far it spreads."""

    mean: Floats
    """[D]"""
    spread: Floats
    """[D], above 0."""

    @classmethod
    def of(cls, features: Floats) -> Self:
        """Measure features [M, D]."""
        values = np.asarray(features, np.float32)
        return cls(values.mean(0), values.std(0) + FLOOR)

    def scaled(self, features: Floats) -> Floats:
        """Return float16 [M, D], cut off at `FURTHEST`."""
        values = (np.asarray(features, np.float32) - self.mean) / self.spread
        return np.clip(values, -FURTHEST, FURTHEST).astype(np.float16)


@dataclass(frozen=True, slots=True)
class Network:
    """One sample's classifier: log-odds = x linear + bias + relu(x first + first_bias) second."""

    linear: Floats
    """[D, H]"""
    bias: Floats
    """[H]"""
    first: Floats
    """[D, Q]"""
    first_bias: Floats
    """[Q]"""
    second: Floats
    """[Q, H]"""

    def log_odds(self, scaled: Floats) -> Floats:
        """Return float32 [M, H] of scaled features [M, D]."""
        values = np.asarray(scaled, np.float32)
        hidden = np.maximum(values @ self.first + self.first_bias, 0)
        return values @ self.linear + self.bias + hidden @ self.second


def fit(scaled: Floats, there: Floats, weights: Sequence[Floats], sizes: Fit, seed: int) -> list[Network]:
    """Fit a classifier of scaled features [M, D] to each of the weightings [M, H]; `there` [M, H] is 0 or 1."""
    linear = _fit(scaled, there, weights, _Plan(0, sizes.linear_epochs, LINEAR_RATE, sizes.batch, seed))
    hidden = _fit(scaled, there, weights, _Plan(sizes.hidden, sizes.hidden_epochs, HIDDEN_RATE, sizes.batch, seed))
    return [
        Network(
            (one.linear + other.linear) / 2,
            (one.bias + other.bias) / 2,
            other.first,
            other.first_bias,
            other.second / 2,
        )
        for one, other in zip(linear, hidden, strict=True)
    ]


def refit(  # noqa: PLR0913, PLR0917  # what is learnt anew, from what, and how
    networks: Sequence[Network],
    scaled: Floats,
    there: Floats,
    weights: Sequence[Floats],
    columns: Sequence[int],
    sizes: Fit,
    seed: int,
) -> list[Network]:
    """Fit some dangers of each classifier anew, from further views; the hidden layer and all other dangers stay."""
    plan = _Plan(sizes.hidden, sizes.hidden_epochs, HIDDEN_RATE, sizes.batch, seed)
    chosen = list(columns)
    first, first_bias = (tf.constant(np.stack([getattr(one, name) for one in networks], -2)) for name in FIXED)
    variables = [
        tf.Variable(np.stack([one.linear[:, chosen] for one in networks], 1)),
        tf.Variable(np.stack([one.bias[chosen] for one in networks])),
        first,
        first_bias,
        tf.Variable(np.stack([one.second[:, chosen] for one in networks])),
    ]
    _run(scaled, there[:, chosen], [one[:, chosen] for one in weights], plan, variables)
    return [_with_columns(one, chosen, at, variables) for at, one in enumerate(networks)]


FIXED: Final = ("first", "first_bias")


def _with_columns(network: Network, columns: Sequence[int], at: int, variables: Sequence[Any]) -> Network:
    linear, bias, second = network.linear.copy(), network.bias.copy(), network.second.copy()
    linear[:, columns], bias[columns] = variables[0].numpy()[:, at], variables[1].numpy()[at]
    second[:, columns] = variables[4].numpy()[at]
    return Network(linear, bias, network.first, network.first_bias, second)


@dataclass(frozen=True, slots=True)
class _Plan:
    hidden: int
    epochs: int
    rate: float
    batch: int
    seed: int


def _fit(scaled: Floats, there: Floats, weights: Sequence[Floats], plan: _Plan) -> list[Network]:
    draw = np.random.default_rng(plan.seed)
    variables = _variables(draw, scaled.shape[1], there.shape[1], len(weights), plan.hidden)
    _run(scaled, there, weights, plan, variables, draw)
    linear, bias, first, first_bias, second = (variable.numpy() for variable in variables)
    return [
        Network(linear[:, one], bias[one], first[:, one], first_bias[one], second[one]) for one in range(len(weights))
    ]


def _run(  # noqa: PLR0913, PLR0917  # what is learnt, from what, and how
    scaled: Floats,
    there: Floats,
    weights: Sequence[Floats],
    plan: _Plan,
    variables: list[Any],
    draw: np.random.Generator | None = None,
) -> None:
    """Learn for as many epochs as planned."""
    draw = np.random.default_rng(plan.seed) if draw is None else draw
    tf.random.set_seed(plan.seed)
    views = len(scaled)
    step = _stepper(variables, plan, plan.epochs * max(1, views // plan.batch))
    wanted, stacked = there.astype(np.float16), np.stack(weights, 1).astype(np.float16)
    for _ in range(plan.epochs):
        order = draw.permutation(views)
        for at in range(0, max(1, views - plan.batch + 1), plan.batch):
            rows = np.sort(order[at : at + plan.batch])
            step(scaled[rows], wanted[rows], stacked[rows])


def _variables(draw: np.random.Generator, size: int, dangers: int, samples: int, hidden: int) -> list[tf.Variable]:
    values = (
        np.zeros((size, samples, dangers)),
        np.zeros((samples, dangers)),
        draw.normal(0, 1 / np.sqrt(size), (size, samples, hidden)),
        np.zeros((samples, hidden)),
        draw.normal(0, 0.5 / np.sqrt(max(1, hidden)), (samples, hidden, dangers)),
    )
    return [tf.Variable(value.astype(np.float32)) for value in values]


def _stepper(variables: list[Any], plan: _Plan, steps: int) -> Callable[[Any, Any, Any], None]:
    rate = tf.keras.optimizers.schedules.CosineDecay(plan.rate, steps)
    linear, bias, first, first_bias, second = variables
    learnt = [one for one in (variables if plan.hidden else variables[:2]) if isinstance(one, tf.Variable)]
    optimizer = tf.keras.optimizers.AdamW(rate, weight_decay=DECAY if plan.hidden else DECAY / 3)
    size, samples, dangers = linear.shape

    def log_odds(values: Any) -> Any:
        odds = tf.reshape(values @ tf.reshape(linear, [size, -1]), [-1, samples, dangers]) + bias
        if not plan.hidden:
            return odds
        hidden = tf.reshape(values @ tf.reshape(first, [size, -1]), [-1, samples, plan.hidden])
        active = tf.nn.dropout(tf.nn.relu(hidden + first_bias), HIDDEN_DROPPED)
        return odds + tf.einsum("bkq,kqh->bkh", active, second)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]  # TensorFlow has no stubs
    def step(values: Any, there: Any, weights: Any) -> None:
        target = tf.cast(there, tf.float32)[:, None] * (1 - 2 * SMOOTHING) + SMOOTHING
        with tf.GradientTape() as tape:
            odds = log_odds(tf.nn.dropout(tf.cast(values, tf.float32), DROPPED))
            each = tf.nn.sigmoid_cross_entropy_with_logits(target + 0 * odds, odds)
            loss = tf.reduce_sum(each * tf.cast(weights, tf.float32)) / plan.batch
        optimizer.apply_gradients(zip(tape.gradient(loss, learnt), learnt, strict=True))

    run: Callable[[Any, Any, Any], None] = step
    return run


def balanced(sources: Names, places: Names, there: Floats, known: Floats) -> Floats:
    """Weigh views [M, H]: of each danger its sources, and of each source its places, count by the root of their number.

    Sources and places are [M], `there` and `known` [M, H]. What shows a danger and what does not weigh one to two.
    """
    names, place = np.unique(sources), np.unique(places, return_inverse=True)[1]
    found = np.zeros_like(known)
    for column in range(known.shape[1]):
        for shows in (True, False):
            rows = (known[:, column] > 0) & ((there[:, column] > 0) == shows)
            for name in names:
                _weigh(found, column, np.flatnonzero(rows & (sources == name)), place, known)
            total = found[rows, column].sum()
            if total:
                found[rows, column] *= (1 if shows else 2) / total
    return (found * len(known) / 3).astype(np.float32)


def _weigh(found: Floats, column: int, rows: Ints, place: Ints, known: Floats) -> None:
    if not len(rows):
        return
    inside = np.bincount(place[rows], weights=known[rows, column])
    each = known[rows, column] / np.sqrt(np.maximum(inside[place[rows]], 1e-3))
    size = 4 * np.sqrt(len(np.unique(place[rows]))) + np.sqrt(len(rows))
    found[rows, column] = each * size / each.sum()

"""Beam search: the most probable sentences of a decoder that gives one word at a time.

Dimensions: B hypotheses alive, at most the beam's width; W words; S numbers of decoder state; N cells of the picture.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from contract.phrases import Phrase
from contract.vocabulary import END, PAD, START, UNKNOWN
from edge.infer.phrase_prior import Expectation

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

Step = Callable[[Ints, Floats], tuple[Floats, Floats, Floats]]
"""One step of the decoder: tokens [B] and state [B, S] to log-probabilities [B, W] (which the search may overwrite),
the next state [B, S] and the attention [B, N]."""

NEVER: Final = np.array([PAD, START, UNKNOWN])
"""Tokens that no sentence may hold."""

GROUPS: Final = 512
"""Groups of numbers whose greatest are compared first, where the best of many numbers are looked for."""

LEAST_ENDING: Final = math.log(0.0025)
"""Log-probability of the end from which what was said so far is a sentence to choose from."""

MOST: Final = 0.3
"""Probability of forbidden words from which a hypothesis counts as leading up to them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search."""

    width: int
    """Hypotheses kept at each step."""
    max_tokens: int
    """Words after which a sentence is ended."""
    length_penalty: float
    """Alpha of the length normalisation of Wu et al. 2016 (arXiv:1609.08144), equation 14, without coverage."""
    block_trigrams: bool
    """Never say the same three words in a row twice (Paulus et al. 2017, arXiv:1705.04304, section 2.5)."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One sentence, or the beginning of one."""

    tokens: tuple[int, ...] = ()
    """Token ids without START; a finished sentence ends with END."""
    log_probs: tuple[float, ...] = ()
    """Natural log-probability of each token given those before it."""
    total: float = 0.0
    """Sum of `log_probs`."""
    attention: tuple[Floats, ...] = ()
    """Attention [N] at each token."""
    rank: float = 0.0
    """What the search goes by: `total`, and what the expected phrases add to it."""

    @property
    def confidence(self) -> float:
        """Geometric mean of the tokens' probabilities, 0 to 1."""
        return math.exp(min(0.0, self.total / len(self.tokens)))

    def then(self, token: int, log_prob: float, rank: float, attention: Floats) -> "Hypothesis":
        """Return it with one token more."""
        return Hypothesis(
            tokens=(*self.tokens, token),
            log_probs=(*self.log_probs, log_prob),
            total=self.total + log_prob,
            attention=(*self.attention, attention),
            rank=rank,
        )

    def score(self, length_penalty: float) -> float:
        """Return the length-normalised rank."""
        return self.rank / float(((5 + len(self.tokens)) / 6) ** length_penalty)


def search(
    step: Step,
    state: Floats,
    plan: Plan,
    silence: "Silence | None" = None,
    expectation: Expectation | None = None,
) -> list[Hypothesis]:
    """Find sentences from the first state [1, S], the best score first.

    A sentence is finished when its END is among the `width` best continuations; the search is over when `width`
    sentences are, or at `max_tokens`, where what is still alive ends as it stands. Up to `width` are returned; where
    something is expected of the picture, by which one is chosen afterwards, also those that could have ended though
    others went on better: they cost no step, and a narrow beam finds as good a sentence among them as a wide one.
    """
    alive = [Hypothesis()]
    tokens = np.array([START], np.int32)
    finished: list[Hypothesis] = []
    endings: list[Hypothesis] = []
    while len(finished) < plan.width:
        log_probs, state, attention = step(tokens, state)
        _forbid(log_probs, alive, plan.block_trigrams)
        if silence is not None:
            silence.keep(log_probs, alive)
        said = [hypothesis.tokens for hypothesis in alive]
        guided = log_probs.copy() if expectation is None else expectation.guide(log_probs, said)
        if expectation is not None:
            endings += _endings(guided, log_probs, alive, attention)
        ends, goes_on = _continuations(guided, log_probs, alive, attention, plan.width)
        # Where no word can follow at all, what was said so far is the sentence.
        finished += ends or (alive if not goes_on else [])
        alive = [hypothesis for _, hypothesis in goes_on]
        if not alive or len(alive[0].tokens) >= plan.max_tokens:
            finished += alive
            break
        tokens = np.array([hypothesis.tokens[-1] for hypothesis in alive], np.int32)
        state = state[[row for row, _ in goes_on]]
    return _best_first(finished, plan) if expectation is None else _best_first(finished + endings, plan, every=True)


def _best_first(found: list[Hypothesis], plan: Plan, *, every: bool = False) -> list[Hypothesis]:
    """Return the sentences in the order of their scores, each once: `every` one, or as many as the plan asks for."""
    once = list({hypothesis.tokens: hypothesis for hypothesis in found}.values())
    once.sort(key=lambda hypothesis: -hypothesis.score(plan.length_penalty))
    return once if every else once[: plan.width]


def _forbid(log_probs: Floats, alive: list[Hypothesis], block_trigrams: bool) -> None:
    """Make impossible: special tokens, an empty sentence, and a third word that completes a trigram again."""
    log_probs[:, NEVER] = -np.inf
    if not alive[0].tokens:
        log_probs[:, END] = -np.inf
    if not block_trigrams:
        return
    for row, hypothesis in enumerate(alive):
        said = hypothesis.tokens
        if not said or said[-1] not in said[1:-1]:
            continue
        for at in range(len(said) - 2):
            if said[at] == said[-2] and said[at + 1] == said[-1]:
                log_probs[row, said[at + 2]] = -np.inf


class Silence:
    """Runs of tokens that no sentence may hold, sorted so that a step looks only at those that it could complete."""

    words: Ints
    """Those that are forbidden by themselves, in their order."""

    def __init__(self, forbidden: Sequence[Phrase] = ()) -> None:
        self.words = np.unique(np.array([run[0] for run in forbidden if len(run) == 1], np.int32))
        self._after: dict[int, list[Phrase]] = {}
        for run in forbidden:
            if len(run) > 1:
                self._after.setdefault(run[-2], []).append(run)

    def joined(self, forbidden: Sequence[Phrase], words: Ints) -> "Silence":
        """Return one that forbids these runs and words as well."""
        more = Silence(forbidden)
        more.words = np.unique(np.concatenate([self.words, more.words, words]))
        shared = {last: [*self._after.get(last, ()), *runs] for last, runs in more._after.items()}
        more._after = {**self._after, **shared}
        return more

    def keep(self, log_probs: Floats, alive: list[Hypothesis]) -> None:
        """Make impossible each word that would complete a run, and with it what was leading up to it.

        A hypothesis that would most probably go on with such a word was about it all along: "a man is holding a" ends
        in nonsense without its gun. It is given up, unless it is the last one alive.
        """
        mass = self._take_words(log_probs)
        for row, hypothesis in enumerate(alive):
            if words := self._completing(hypothesis.tokens):
                mass[row] += np.exp(log_probs[row, words]).sum()
                log_probs[row, words] = -np.inf
        leading = mass > MOST
        if leading.all():
            leading[mass.argmin()] = False
        if leading.any():
            log_probs[leading] = -np.inf

    def _take_words(self, log_probs: Floats) -> Floats:
        """Make the words that are forbidden by themselves impossible; returns their probability in each row [B]."""
        if not len(self.words):
            return np.zeros(len(log_probs), np.float32)
        mass: Floats = np.exp(log_probs.take(self.words, 1)).sum(1)
        log_probs[:, self.words] = -np.inf
        return mass

    def _completing(self, said: Phrase) -> list[int]:
        """Return the words, not forbidden by themselves, that would complete a run after what was said."""
        runs = self._after.get(said[-1]) if said else None
        if runs is None:
            return []
        return [run[-1] for run in runs if said[-len(run) + 1 :] == run[:-1]]


def _endings(guided: Floats, log_probs: Floats, alive: list[Hypothesis], attention: Floats) -> list[Hypothesis]:
    """Return each hypothesis as a sentence that ends here, where its end is not all too improbable."""
    rows = np.flatnonzero(log_probs[:, END] > LEAST_ENDING).tolist()
    return [
        alive[row].then(END, float(log_probs[row, END]), alive[row].rank + float(guided[row, END]), attention[row])
        for row in rows
    ]


def _continuations(
    guided: Floats, log_probs: Floats, alive: list[Hypothesis], attention: Floats, width: int
) -> tuple[list[Hypothesis], list[tuple[int, Hypothesis]]]:
    """Return the sentences that end now, and the `width` best that go on, each with the row it came from.

    Overwrites `guided`, by which it ranks.
    """
    guided += np.array([[before.rank] for before in alive], np.float32)
    ends: list[Hypothesis] = []
    goes_on: list[tuple[int, Hypothesis]] = []
    for taken, (row, token) in enumerate(_best(guided, 2 * width)):
        before, log_prob = alive[row], float(log_probs[row, token])
        if token == END and taken >= width:
            continue
        said = before.then(token, log_prob, float(guided[row, token]), attention[row])
        if token == END:
            ends.append(said)
        else:
            goes_on.append((row, said))
            if len(goes_on) == width:
                break
    return ends, goes_on


def _best(ranks: Floats, count: int) -> list[tuple[int, int]]:
    """Return up to `count` possible places (row, token) of ranks [B, W], the best first."""
    flat, columns = ranks.ravel(), ranks.shape[1]
    places = np.flatnonzero(flat >= _bound(flat, count))
    order = places[np.argsort(-flat[places], kind="stable")][:count]
    return [divmod(place, columns) for place in order[flat[order] > -np.inf].tolist()]


def _bound(flat: Floats, count: int) -> float:
    """Return a number that at least `count` of all are as great as, and hardly more than those.

    The greatest of each group are as many numbers of their own, so that the `count`-th of them is such a one: it costs
    a pass of comparing, a fifth of what partitioning all numbers does.
    """
    rows = len(flat) // GROUPS
    if rows < 2 or count > GROUPS:  # a group of one number says nothing
        return float(-np.inf)
    greatest = flat[: rows * GROUPS].reshape(rows, GROUPS).max(0)
    return float(np.partition(greatest, -count)[-count])

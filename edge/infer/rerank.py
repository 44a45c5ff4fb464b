"""Choice: which sentence of the final beam is said."""

from collections.abc import Sequence

from contract.bundle import Decoding
from contract.vocabulary import END
from edge.infer import minimum_bayes_risk
from edge.infer.beam import Hypothesis
from edge.infer.phrase_prior import Expectation


def order(found: Sequence[Hypothesis], how: Decoding, expectation: Expectation | None) -> list[Hypothesis]:
    """Return the hypotheses, found in the order of their scores, so that the one to say comes first.

    Where something is expected of the picture, that is the one of the highest likeness to it, agreement and confidence
    weighed in (a log-linear choice, Och 2003); else the one that the others agree on; else the most probable one.
    """
    spoken = [tuple(token for token in hypothesis.tokens if token != END) for hypothesis in found]
    agreed = [0.0] * len(found)
    if how.consensus:
        agreed = minimum_bayes_risk.agreement(spoken, [hypothesis.total for hypothesis in found], how.consensus)
    worth = agreed
    if expectation is not None:
        worth = [
            expectation.likeness(sentence)
            + how.agreement_weight * agreement
            + how.confidence_weight * hypothesis.total / len(hypothesis.tokens)
            for hypothesis, sentence, agreement in zip(found, spoken, agreed, strict=True)
        ]
    return [found[at] for at in sorted(range(len(found)), key=lambda at: -worth[at])]

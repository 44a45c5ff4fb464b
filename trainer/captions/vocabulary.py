"""Chooses the words of a captioner that goes on from a bundle's: as many as the bundle has, at most."""

from collections import Counter
from collections.abc import Collection, Sequence

from contract import vocabulary
from contract.sensitive_words import is_sensitive
from contract.vocabulary import SPECIALS, Vocabulary
from trainer.data.example import CaptionExample


def choose(
    known: Vocabulary, captioned: Sequence[CaptionExample], spoken: Collection[str], min_count: int
) -> Vocabulary:
    """Return the words of the sentences of danger (`spoken`), then the most frequent of the captions.

    Words of the bundle keep their order and come first; rarer ones than `min_count`, and what says someone's race or
    origin, are left out. The size of the decoder, and so of the bundle, does not grow.
    """
    counts = Counter(word for example in captioned for sentence in example.sentences for word in sentence)
    frequent = [word for word, count in counts.most_common() if count >= min_count and not is_sensitive(word)]
    chosen = list(dict.fromkeys([*sorted(spoken), *frequent]))[: len(known) - len(SPECIALS)]
    old = [word for word in known.words[len(SPECIALS) :] if word in set(chosen)]
    return vocabulary.of((*old, *(word for word in chosen if word not in known.ids)))

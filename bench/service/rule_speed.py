"""What a sentence costs under 10 rules and under 1,000."""

import gc
import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.accuracy.alarms import RULES
from broker.rules import compiler, engine
from broker.rules import sentence as sentence_
from broker.rules.compiler import Rulebook
from broker.rules.engine import Seen
from broker.rules.schema import RulesFile, RuleText
from foundation import yaml_file

FEW, MANY = 10, 1000

ROUNDS: Final = 9
"""Turns of each; an odd number has a middle one."""

MAX_SENTENCES: Final = 2000


def compare(sentences: Sequence[str], file: Path = RULES) -> dict[str, float]:
    """Judge the same sentences under few and under many rules, turn by turn: microseconds each, and their ratio.

    The rules beyond the shipped ones are made of the sentences' own words, so that they do not go unasked.
    """
    some = list(dict.fromkeys(sentences))[:MAX_SENTENCES]
    shipped = yaml_file.load(file, RulesFile)
    few, many = (_book(shipped, some, total) for total in (FEW, MANY))
    turns: list[tuple[float, float]] = []
    # As the service does: what lives for ever is not walked through again and again.
    gc.collect()
    gc.freeze()
    try:
        for _ in range(ROUNDS):
            turns.append((_seconds(few, some), _seconds(many, some)))
    finally:
        gc.unfreeze()
    low, high = (1e6 * statistics.median(column) / len(some) for column in zip(*turns, strict=True))
    ratio = statistics.median(after / before for before, after in turns)
    return {"few_us": low, "many_us": high, "ratio": ratio}


def _seconds(book: Rulebook, sentences: Sequence[str]) -> float:
    sentence_.read.cache_clear()
    start = time.thread_time()
    for sentence in sentences:
        engine.judge(book, Seen(sentence))
    return time.thread_time() - start


def _book(shipped: RulesFile, sentences: Sequence[str], total: int) -> Rulebook:
    words = sorted({word for text in sentences for word in re.findall(r"[a-z]{3,}", text.lower())} - sentence_.SMALL)
    chance = random.Random(7)

    def phrase() -> str:
        between = chance.choice((" ", " ... "))
        return between.join(chance.sample(words, 2))

    more = tuple(_rule(number, phrase) for number in range(total - len(shipped.rules)))
    file = msgspec.structs.replace(shipped, rules=(*shipped.rules, *more))
    return compiler.build(file, origin=f"{total} rules")


def _rule(number: int, phrase: Callable[[], str]) -> RuleText:
    return RuleText(
        name=f"rule-{number}", says=(phrase(), phrase(), phrase()), exceptions=(phrase(), phrase()), unless=(phrase(),)
    )

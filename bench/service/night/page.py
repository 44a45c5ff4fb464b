"""Writes the page of a night: its totals, and every text that each person got, with the reason."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bench.service.night.replay import Entry, Night
from bench.service.night.verdict import Text, Verdict

INTRODUCTION = """# A night, replayed

Written by `make night`: twenty cameras, eight hours, by a clock that is moved. Everything but the gateway, the cameras
and the people is the service's own: rules, incidents, escalation, presence, texts, an SQLite file. The gateway is a
server on loopback that speaks Twilio's API. A gun at 23:14 is answered late and in somebody's own words; a storm at
00:40 makes every camera see dangers for two minutes, and someone writes STOP; a camera without network from 01:20 to
03:25 empties its outbox; three cameras fall silent; the disk is full from 02:40 to 03:05; the gateway fails while a
fire begins at 04:20, and nobody answers. Links lead nowhere: the host and the secret are made up.
"""


def page(night: Night, verdict: Verdict) -> str:
    """Return the page as Markdown."""
    lines = [INTRODUCTION, *_totals(night, verdict), "", "## What happened, and what each person read", ""]
    return "\n".join([*lines, *_table(night, verdict), ""])


def _totals(night: Night, verdict: Verdict) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    yield f"| captions of {len(night.devices)} cameras | {verdict.captions:,}, stored once: {verdict.stored:,} |"
    yield f"| notifications | {verdict.notifications} |"
    yield f"| sent | {verdict.sent} |"
    yield f"| covered by a digest | {verdict.digested} |"
    yield f"| given up, because the recipient wrote STOP | {verdict.given_up} |"
    yield f"| still deferred at the end | {verdict.waiting} |"
    yield f"| dropped | {verdict.dropped} |"
    yield f"| sent twice | {verdict.doubled} |"
    states = Counter(one.state.value for one in verdict.incidents)
    yield f"| incidents | {len(verdict.incidents)}: {', '.join(f'{states[one]} {one}' for one in sorted(states))} |"
    people = Counter(text.person for text in verdict.texts)
    yield f"| texts by person | {', '.join(f'{name} {count}' for name, count in people.most_common())} |"
    yield f"| texts that break a promise | {len(verdict.problems)} |"
    if verdict.problems:
        yield ""
        yield from (f"- {_cell(problem)}" for problem in verdict.problems)


def _table(night: Night, verdict: Verdict) -> Iterator[str]:
    yield "| Time | Who | Text | Why |"
    yield "|---|---|---|---|"
    for _, _, line in sorted([*_text_lines(night, verdict.texts), *_entry_lines(night, night.entries)]):
        yield line


def _text_lines(night: Night, texts: Sequence[Text]) -> Iterator[tuple[datetime, int, str]]:
    for place, text in enumerate(texts):
        yield text.at, place, f"| {_clock(night, text.at)} | {text.person} | {_cell(text.body)} | {_cell(text.why)} |"


def _entry_lines(night: Night, entries: Sequence[Entry]) -> Iterator[tuple[datetime, int, str]]:
    """Return lines in italics of what happened, and of what people wrote and were answered."""
    for place, entry in enumerate(entries):
        answer = f" → {_cell(entry.answer)}" if entry.answer else ""
        who = f"*{entry.person} writes*" if entry.person else ""
        yield entry.at, place - len(entries), f"| {_clock(night, entry.at)} | {who} | *{_cell(entry.what)}*{answer} | |"


def _clock(night: Night, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(night.config.timezone)):%H:%M:%S}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

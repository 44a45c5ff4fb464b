"""Hypothesis strategies for messages that keep the contract."""

from datetime import UTC, datetime

import msgspec
from hypothesis import strategies as st

from contract import caption
from contract.ack import MAX_IDS, Ack, Refusal
from contract.caption import Box, Caption, Hazard, InZone, Label, Phase, Visit
from contract.errors import REASONS
from contract.status import (
    Calm,
    CameraCondition,
    Clock,
    Condition,
    Fallback,
    Ledger,
    Part,
    Stage,
    State,
    Status,
    Threshold,
)
from contract.thresholds import Raised, Thresholds

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
shares = st.floats(0, 1)
counts = st.integers(0, 2**53)
times = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
ids = st.from_regex(r"[A-Za-z0-9_-]{8,64}", fullmatch=True)
printable = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
"""Any character that a sentence may hold, emoji and Korean included."""

texts = st.text(printable, min_size=1, max_size=120)


hazards = st.builds(
    Hazard,
    st.text(st.characters(codec="ascii", min_codepoint=32), min_size=1, max_size=32),
    shares,
    st.none() | shares,
    st.none() | times,
    st.none() | st.builds(Box, shares, shares, shares, shares),
)


visits = st.builds(
    Visit,
    st.from_regex(r"[A-Za-z0-9_-]{4,32}", fullmatch=True),
    st.sampled_from(Phase),
    st.integers(0, caption.MAX_SECONDS),
    st.lists(st.builds(InZone, names, st.integers(0, caption.MAX_SECONDS), st.booleans()), max_size=2).map(tuple),
)


@st.composite
def captions(draw: st.DrawFn) -> Caption:
    """A caption whose fields are anything the contract allows; most stay below 2 KiB."""
    site, device, stream = draw(names), draw(names), draw(names)
    return Caption(
        text=draw(texts),
        captured_at=draw(times),
        site=site,
        device=device,
        stream=stream,
        confidence=draw(shares),
        labels=tuple(draw(st.lists(st.builds(Label, _words(32), st.integers(1, 999), shares), max_size=3))),
        hazards=tuple(draw(st.lists(hazards, max_size=3))),
        people=draw(st.just(msgspec.UNSET) | st.integers(0, 999)),
        visits=draw(st.just(msgspec.UNSET) | st.lists(visits, max_size=2).map(tuple)),
        language=draw(st.sampled_from(["en", "ko", "pt-BR"])),
        model=draw(_words(64)),
        seq=draw(st.integers(0, caption.MAX_SEQ)),
        id=draw(ids),
        source=caption.source(site, device, stream),
        time=draw(times),
    )


def _words(longest: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="ascii", min_codepoint=32), min_size=1, max_size=longest)


statuses = st.builds(
    Status,
    state=st.sampled_from(State),
    site=names,
    device=names,
    since=times,
    at=st.none() | times,
    reason=st.text(printable, max_size=60),
    version=st.text(printable, max_size=8),
    model=st.text(printable, max_size=16),
    ledger=st.none() | st.builds(Ledger, *()) | st.builds(Ledger, frames=counts, captions=counts, sent_bytes=counts),
    stages=st.lists(st.builds(Stage, _words(24), st.floats(0, 1e6), st.floats(0, 1e6)), max_size=6).map(tuple),
    calm=st.just(msgspec.UNSET)
    | st.builds(
        Calm,
        since=times,
        seconds=counts,
        known=st.booleans(),
        thresholds=st.lists(st.builds(Threshold, _words(32), shares, shares), max_size=3).map(tuple),
        reason=st.text(printable, max_size=20),
    ),
    conditions=st.just(msgspec.UNSET)
    | st.lists(st.builds(CameraCondition, names, st.sampled_from(Condition), times), max_size=3).map(tuple),
    fallbacks=st.just(msgspec.UNSET)
    | st.lists(st.builds(Fallback, st.sampled_from(Part), st.text(printable, max_size=40), times), max_size=2).map(
        tuple
    ),
    clock=st.just(msgspec.UNSET) | st.sampled_from(Clock),
)

raised_thresholds = st.builds(
    Thresholds,
    site=names,
    device=names,
    at=times,
    raised=st.lists(st.builds(Raised, names, _words(32), shares, times), max_size=3).map(tuple),
)

acks = st.builds(
    Ack,
    stored=st.lists(ids, max_size=MAX_IDS).map(tuple),
    refused=st.lists(st.builds(Refusal, ids, st.sampled_from(REASONS)), max_size=3).map(tuple),
)

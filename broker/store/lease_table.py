"""The table by which instances agree which of them is on duty."""

from typing import Final

from sqlalchemy import BigInteger, Column, String, Table

from broker.store.tables.core import Moment, metadata

lease: Final = Table(
    "lease",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("beats", BigInteger, nullable=False),
    Column("holder", String(64), nullable=False),
    Column("process", String(32), nullable=False),
    Column("place", String(128), nullable=False),
    Column("since", Moment),
    Column("beat_at", Moment),
)
"""One row a duty, there from the start. `token` grows with each holder, `beats` while it lives; `holder` is the name of
an instance, or "" while nobody is on duty, `process` a word of one of its processes alone, `place` where that runs. The
times are the holder's own, for people to look at: nothing is decided by them."""

"""The table of translations from services, up to a number of sentences."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from broker.store.tables.messaging import translation

MAX_SENTENCE_CHARS = 200
"""Of a caption; what is longer is not kept."""


def find(connection: Connection, service: str, target: str, original: str) -> str | None:
    """Return what a service made of a sentence before, if it was asked."""
    query = select(translation.c.translated).where(_same(service, target, original))
    return connection.execute(query).scalar()


def keep(connection: Connection, what: tuple[str, str, str], translated: str, *, at: datetime, limit: int) -> None:
    """Keep the translation of (service, target, original); beyond `limit` the oldest ones go."""
    service, target, original = what
    if len(original) > MAX_SENTENCE_CHARS:
        return
    connection.execute(delete(translation).where(_same(service, target, original)))
    row = {"service": service, "target": target, "original": original, "translated": translated, "made_at": at}
    connection.execute(insert(translation), row)
    count = int(connection.execute(select(func.count()).select_from(translation)).scalar_one())
    if count > limit:
        oldest = select(translation.c.made_at).order_by(translation.c.made_at).offset(count - limit - 1).limit(1)
        connection.execute(delete(translation).where(translation.c.made_at <= oldest.scalar_subquery()))


def _same(service: str, target: str, original: str) -> ColumnElement[bool]:
    table = translation.c
    return (table.service == service) & (table.target == target) & (table.original == original)

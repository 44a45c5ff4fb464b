"""Runs migrations on the connection that `broker.store.migrate` hands over."""

from alembic import context

from broker.store.tables import console, messaging  # noqa: F401 - they add their tables to the metadata
from broker.store.tables.core import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most things in place; batch mode copies the table.
    render_as_batch=True,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()

"""Runs migrations on the connection that collector/store/migrate.py hands over. Not a program of its own."""

from alembic import context

from collector.store.migrate import version_table
from schemas.tables import feed_metadata, metadata

which = context.config.attributes["which"]
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata={"collector": metadata, "feed": feed_metadata}[which],
    version_table=version_table(which),
)
with context.begin_transaction():
    context.run_migrations()

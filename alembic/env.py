"""Runs migrations on the connection that `dialer.db.migrations` hands over."""

from __future__ import annotations

from alembic import context

from dialer.db.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=True
)
with context.begin_transaction():
    context.run_migrations()

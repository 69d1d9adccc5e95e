"""Run by Alembic, never imported: hands it the connection that `Database.migrate` opened."""

from __future__ import annotations

from alembic import context

from sidecar.storage.tables import metadata

# Transactional on SQLite too (Alembic assumes not): a step that fails leaves nothing half done.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

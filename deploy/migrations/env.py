"""How Alembic reaches the database: over the connection that it is handed.

The transaction is the caller's: a schema is changed as a whole or not at all.
"""

from alembic import context

from deploy import migrations

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=migrations.METADATA,
    # SQLite alters a table by copying it.
    render_as_batch=True,
)
context.run_migrations()

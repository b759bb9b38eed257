"""What alembic runs; the connection comes from `upgrade`."""

from alembic import context

from outlearn.serving.store.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
context.run_migrations()

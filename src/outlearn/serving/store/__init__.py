"""The store of the service: SQLite beside the process by default, PostgreSQL by its URL."""

"""The history of the tables (Alembic). Applied by `core.store.migrate`, which every command goes through."""

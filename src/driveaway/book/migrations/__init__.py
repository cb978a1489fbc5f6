"""Migrations of the book's tables (Alembic), for both stores."""

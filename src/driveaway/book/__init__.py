"""The book: append, cut, verify. SQLite or PostgreSQL row by row, Parquet column by column."""

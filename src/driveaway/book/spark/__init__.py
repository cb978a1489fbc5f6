"""Figures on Apache Spark: the same definitions over the same Parquet files as DuckDB, on a cluster."""

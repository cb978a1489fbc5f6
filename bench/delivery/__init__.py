"""Benchmarks of the delivery room."""

"""Benchmarks of the delivery room, each a module of its own."""

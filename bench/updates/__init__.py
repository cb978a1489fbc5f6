"""Benchmarks of updates."""

"""Loops over the columns of many trips, compiled to machine code."""

"""The figures about what cars drive, and about incidents."""

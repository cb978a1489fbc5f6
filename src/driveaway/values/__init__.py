"""Ids, units, money, time and errors: the words every room uses. Standard library only."""

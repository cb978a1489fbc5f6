"""Operational state beside the facts, in the same database: last polls, targets, actions, accounts, jobs."""

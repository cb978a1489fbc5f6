"""Rollouts: the order of cars, growth by plan, evidence of harm, and what to do next; no store, no clock."""

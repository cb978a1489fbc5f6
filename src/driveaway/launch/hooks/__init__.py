"""Webhooks: facts of chosen kinds, sent to addresses that staff name, in order and at least once."""

"""Measurements of the delivery room, beside peers."""

"""Measurements of the updates room, beside peers."""

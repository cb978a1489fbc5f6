"""A reference device client: polls, verifies every byte, installs into the other of two slots, reports."""

"""The HTTP doors: cars at ``device``; what doors share at ``http``."""

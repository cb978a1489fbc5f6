"""Who buys, with intervals and privacy."""

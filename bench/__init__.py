"""Measurements beside peers. ``python -m bench.run --help`` says how; nothing here is asserted in tests."""

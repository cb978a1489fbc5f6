"""Learns the ramp prior from other launches' monthly handovers; not shipped.

``python -m tools.ramp_prior`` reads ``peer_ramps_to_2024-03.csv`` in the folder that DRIVEAWAY_RECORD names
and writes ``src/driveaway/delivery/ramp/prior.toml``.
"""

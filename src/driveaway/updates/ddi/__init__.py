"""hawkBit's Direct Device Integration API, version 1: what cars say and are told."""

"""The door that cars come through: hawkBit's DDI v1, artifacts, and the files of a TUF repository."""

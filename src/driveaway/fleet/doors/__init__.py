"""What the doors share by which cars report: bodies read into rows, signals mapped, batches landed together.

- ``ndjson``, ``arrow``: a body of trips in one of two forms, as rows and as what could not be read.
- ``vss``: trips under names of COVESA's Vehicle Signal Specification.
- ``telemetry``, ``assembly``: signals at points of time, and the trips that they make.
- ``together``: batches of many requests, landed in one commit.
"""

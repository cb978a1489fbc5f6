"""From what a door was given to Parquet files by local day and one fact for each batch; the quarantine.

``pyarrow``, ``numpy`` and ``numba`` alone: a device server lands trips too. Doors import these modules when
the first batch arrives.
"""

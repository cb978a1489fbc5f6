"""What the cars drive: trips taken in without loss, a daily ledger per car, figures about driving.

- ``landing``: from what a door was given to Parquet files and one fact for each batch; the quarantine.
- ``ledger``: from landed trips to tables that figures read; a cache that comes back when deleted.
- ``figures``: their definitions.
"""

"""The same questions of raw trips, straightforwardly: ``python -m bench.fleet.peers NAME FILES``.

Each answers four questions with the obvious query over the Parquet files, without a ledger: cars active with
assistance in 28 days, as of the last day and of each of 90 days; metres with assistance up to the last day;
the most that a car drove with it in a day. A drive belongs to the local day on which it began: these queries
do not split it at midnight, as Driveaway does.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.fleet.prepared import DAYS, FIRST, ZONE_SECONDS
from bench.measuring import tell

_EPOCH_DAY = FIRST.toordinal() - 719_163
LAST = _EPOCH_DAY + DAYS - 1
"""Days since 1970."""
WINDOW = 28
_US_A_DAY = 86_400_000_000
_DAY_SQL = f"((start + {ZONE_SECONDS}000000) // {_US_A_DAY})"
QUESTIONS = ("active 28 days, one day", "active 28 days, 90 days", "assisted metres", "most in one day")


def _answer(
    questions: dict[str, Callable[[], int]],
    cpu_of: Callable[[], float] = time.process_time,
    peak_of: Callable[[], int] | None = None,
    **more: Any,
) -> None:
    out = {}
    for name, ask in questions.items():
        wall, cpu = time.perf_counter(), cpu_of()
        value = int(ask())
        out[name] = [value, time.perf_counter() - wall, cpu_of() - cpu]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 if peak_of is None else peak_of()
    tell(answers=out, peak=peak, **more)


def _cpu_of(process: int) -> float:
    """Seconds of processor time of a running process (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_of(process: int) -> int:
    """Most memory that a running process held, bytes (Linux)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _sql(day: str) -> dict[str, str]:
    """The four questions over a table ``trips``; the second is the sum of the 90 days' counts."""
    return {
        QUESTIONS[0]: f"SELECT count(DISTINCT vin) FROM trips WHERE assisted_m > 0"
        f" AND {day} BETWEEN {LAST - WINDOW + 1} AND {LAST}",
        QUESTIONS[1]: f"WITH active AS (SELECT DISTINCT vin, {day} AS day FROM trips WHERE assisted_m > 0),"
        " days AS (SELECT DISTINCT day FROM active)"
        " SELECT sum(cars) FROM (SELECT d.day, count(DISTINCT a.vin) AS cars FROM days d JOIN active a"
        f" ON a.day BETWEEN d.day - {WINDOW - 1} AND d.day WHERE d.day <= {LAST} GROUP BY d.day) AS counted",
        QUESTIONS[2]: f"SELECT sum(assisted_m) FROM trips WHERE {day} <= {LAST}",
        QUESTIONS[
            3
        ]: f"SELECT max(metres) FROM (SELECT vin, {day} AS day, sum(assisted_m) AS metres FROM trips"
        f" WHERE {day} <= {LAST} GROUP BY ALL) AS per_day",
    }


def duckdb(files: str) -> None:
    """SQL on the files, two threads."""
    import duckdb as engine

    connection = engine.connect()
    connection.execute("SET threads = 2")
    connection.execute(f"CREATE VIEW trips AS SELECT * FROM read_parquet('{files}/2*.parquet')")
    ask = _sql(_DAY_SQL)
    _answer({name: lambda q=query: connection.sql(q).fetchall()[0][0] for name, query in ask.items()})


def floor(files: str) -> None:
    """What it takes to read the columns that the questions need, and add them up."""
    import duckdb as engine

    connection = engine.connect()
    connection.execute("SET threads = 2")
    query = f"SELECT sum(assisted_m) + max(length(vin)) + max(start) FROM read_parquet('{files}/2*.parquet')"
    _answer({"scan": lambda: connection.sql(query).fetchall()[0][0]})


def polars(files: str) -> None:
    """Lazy frames, streamed."""
    import polars as pl

    trips = pl.scan_parquet(f"{files}/2*.parquet").with_columns(
        day=(pl.col("start") + ZONE_SECONDS * 1_000_000) // _US_A_DAY
    )
    used = trips.filter(pl.col("assisted_m") > 0, pl.col("day") <= LAST)

    def collected(frame: pl.LazyFrame) -> int:
        return int(frame.collect(engine="streaming").item())

    def every_day() -> int:
        days = pl.LazyFrame({"ahead": list(range(WINDOW))})
        spread = used.select("vin", "day").unique().join(days, how="cross")
        spread = spread.with_columns(until=pl.col("day") + pl.col("ahead")).filter(pl.col("until") <= LAST)
        return collected(spread.group_by("until").agg(pl.col("vin").n_unique()).select(pl.col("vin").sum()))

    _answer(
        {
            QUESTIONS[0]: lambda: collected(
                used.filter(pl.col("day") > LAST - WINDOW).select(pl.col("vin").n_unique())
            ),
            QUESTIONS[1]: every_day,
            QUESTIONS[2]: lambda: collected(
                trips.filter(pl.col("day") <= LAST).select(pl.col("assisted_m").sum())
            ),
            QUESTIONS[3]: lambda: collected(
                trips.filter(pl.col("day") <= LAST)
                .group_by("vin", "day")
                .agg(pl.col("assisted_m").sum())
                .select(pl.col("assisted_m").max())
            ),
        }
    )


def pandas(files: str) -> None:
    """A tenth of the cars, for all of them do not fit into memory; its time is of that tenth."""
    import pandas as pd
    import pyarrow.compute as pc
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    vins = pq.read_table(Path(files) / "cars.parquet", columns=["vin"])["vin"]
    tenth = vins.take(pc.indices_nonzero(pc.equal(pc.utf8_slice_codeunits(vins, 16, 17), "0")))
    dataset = ds.dataset(sorted(map(str, Path(files).glob("2*.parquet"))))
    wall, cpu = time.perf_counter(), time.process_time()
    kept = dataset.to_table(["vin", "start", "assisted_m"], filter=ds.field("vin").isin(tenth))
    trips = kept.to_pandas()
    trips["day"] = (trips["start"] + ZONE_SECONDS * 1_000_000) // _US_A_DAY
    trips = trips[trips["day"] <= LAST]
    reading = [time.perf_counter() - wall, time.process_time() - cpu]
    used = trips[trips["assisted_m"] > 0]

    def every_day() -> int:
        pairs = used[["vin", "day"]].drop_duplicates()
        days = range(int(pairs["day"].min()), LAST + 1)
        return sum(int(pairs[pairs["day"].between(d - WINDOW + 1, d)]["vin"].nunique()) for d in days)

    _answer(
        {
            QUESTIONS[0]: lambda: used[used["day"] > LAST - WINDOW]["vin"].nunique(),
            QUESTIONS[1]: every_day,
            QUESTIONS[2]: lambda: trips["assisted_m"].sum(),
            QUESTIONS[3]: lambda: trips.groupby(["vin", "day"])["assisted_m"].sum().max(),
        },
        reading=reading,
        share=len(tenth) / len(vins),
        version=pd.__version__,
    )


def pyspark(files: str) -> None:
    """SQL on ``local[2]``; processor time and memory are those of its Java machine."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "3g")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.hadoop.parquet.filter.dictionary.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    session.read.parquet(*sorted(map(str, Path(files).glob("2*.parquet")))).createOrReplaceTempView("trips")
    session.sql("SELECT count(*) FROM trips").collect()
    ask = _sql(f"CAST(floor((start + {ZONE_SECONDS}000000) / {_US_A_DAY}) AS BIGINT)")
    process = int(session.sparkContext._jvm.java.lang.ProcessHandle.current().pid())
    questions = {name: lambda q=query: session.sql(q).collect()[0][0] for name, query in ask.items()}
    _answer(questions, lambda: _cpu_of(process), lambda: _peak_of(process))
    session.stop()


if __name__ == "__main__":
    {"duckdb": duckdb, "floor": floor, "polars": polars, "pandas": pandas, "pyspark": pyspark}[sys.argv[1]](
        sys.argv[2]
    )

"""From Parquet to answers: ``python -m bench.fleet.ingest [--trips N,N] [--workdir DIR] [--into PAGE]``.

Lands 89 days of drives until they can be asked, then the 90th, and asks again. Rows a second are of wall
time and of processor time; the machine's load counts in the first.
"""

from __future__ import annotations

import sys

from bench.fleet import prepared
from bench.tables import mebibytes, rate, seconds, table


def main() -> None:
    given = prepared.arguments(__doc__ or "")
    rows = []
    with prepared.workdir(given.workdir) as workdir:
        for size in given.sizes:
            files = prepared.drives(workdir, size)
            folder = prepared.fresh_launch(workdir, size)
            made = prepared.task("land", folder, files[0].parent)
            said = made.said
            if said["wrong"] or said["aside"]:
                print(f"not all was taken in: {said['wrong']}, {said['aside']} put aside", file=sys.stderr)
            wall, cpu = said["queryable"]
            rows.append(
                [
                    f"{size.trips:,}",
                    rate(said["rows"], wall),
                    rate(said["rows"], cpu),
                    f"{seconds(sum(said[name][0] for name in ('last', 'asked')))} for {said['last_rows']:,}",
                    mebibytes(said["peak"]),
                    f"{said['trips_bytes'] / said['rows']:.1f} + {said['ledger_bytes'] / said['rows']:.1f}",
                ]
            )
    heads = [
        "segments", "to queryable", "to queryable, CPU", "a new day, figures asked", "peak memory",
        "bytes a segment: trips + ledger",
    ]  # fmt: skip
    prepared.publish(given.into, "ingest", table(heads, rows))


if __name__ == "__main__":
    main()

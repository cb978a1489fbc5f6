"""Landed plans: a Parquet file with the slot and the dates of every open order, named by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from driveaway.delivery.demand import configurations_of
from driveaway.delivery.planning.problem import NO_DAY, Counts
from driveaway.delivery.planning.results import Adopted
from driveaway.delivery.supply.reading import number_of
from driveaway.facts import Fact
from driveaway.facts.delivery import PlanAdopted
from driveaway.launch.launch import Launch
from driveaway.values.clock import parse_day
from driveaway.values.errors import BadValue, Unavailable
from driveaway.values.files import write_whole

INPUTS = b"driveaway.inputs"
"""Key of a landed table's metadata: the digest of what was planned."""


@dataclass(frozen=True, slots=True)
class Landed:
    """A plan as it was landed.

    Attributes:
        name: its slug.
        fact: under which it was adopted.
        table: ``order_id``, ``trim``, ``colour``, ``edition``, ``options``, ``province``, ``slot`` and
            a column of days ``p50`` … for each confidence; null: not within its horizon.
    """

    name: str
    fact: Fact
    table: pa.Table

    @property
    def adopted(self) -> Adopted:
        """What a later plan needs to move few."""
        body = self.fact.body
        assert isinstance(body, PlanAdopted)
        first = number_of(parse_day(body.first_day))
        configurations, row = configurations_of(self.table)
        days = self.table["slot"].combine_chunks().cast(pa.int32()).cast(pa.int64())
        slot = np.asarray(
            pc.fill_null(pc.subtract(days, first), NO_DAY).to_numpy(zero_copy_only=False), np.int64
        )
        inputs = (self.table.schema.metadata or {}).get(INPUTS, b"")
        return Adopted(first, configurations, row, slot, bytes.fromhex(inputs.decode()))

    def frozen(self, first_day: int, days: int) -> dict[str, int]:
        """Slots within the first days of a new plan, as days of its horizon, by order id."""
        since = self.table["slot"].cast(pa.int32())
        inside = pc.and_(pc.greater_equal(since, first_day), pc.less(since, first_day + days))
        kept = self.table.filter(pc.fill_null(inside, False))
        at = kept["slot"].cast(pa.int32()).to_pylist()
        return {order: day - first_day for order, day in zip(kept["order_id"].to_pylist(), at, strict=True)}


def days_column(numbers: Counts, first_day: int) -> pa.Array:
    """Days of a horizon as dates; null where there is none within it."""
    missing = numbers == NO_DAY
    since = np.where(missing, 0, numbers + first_day).astype(np.int32)
    return pa.array(since, pa.int32(), mask=missing).cast(pa.date32())


def column_of(confidence: float) -> str:
    """Name of the column of dates at a confidence: ``p90``."""
    return f"p{confidence * 100:g}"


def land(folder: Path, table: pa.Table) -> str:
    """Write a table under its digest, once; it is there whole or not at all.

    Returns:
        The SHA-256 of the file, in hexadecimal.
    """
    out = BytesIO()
    pq.write_table(table, out, compression="zstd")
    content = out.getvalue()
    digest = sha256(content).hexdigest()
    path = folder / f"{digest}.parquet"
    if not path.exists():
        write_whole(path, content)
    return digest


def plans_folder(launch: Launch) -> Path:
    """Where landed plans are."""
    return launch.data / "plans"


def landed(launch: Launch, fact: Fact) -> Landed:
    """An adopted plan's table.

    Raises:
        Unavailable: the file is missing, or is another than the one that was adopted.
    """
    body = fact.body
    assert isinstance(body, PlanAdopted)
    path = plans_folder(launch) / f"{body.table}.parquet"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"the table of {fact.subject} is missing",
            code="delivery.plan_missing",
            place=str(path),
            remedy="restore the data folder's plans, or adopt a new plan with --fresh",
        ) from error
    if sha256(content).hexdigest() != body.table:
        raise Unavailable(
            f"the table of {fact.subject} is not the one that was adopted",
            code="delivery.plan_changed",
            place=str(path),
            remedy="restore the file, or adopt a new plan with --fresh",
        )
    table = pq.read_table(BytesIO(content))
    return Landed(fact.subject, fact, table)


def write(table: pa.Table, path: Path) -> None:
    """Write a table as CSV or Parquet, by the file's ending.

    Raises:
        BadValue: it has another ending.
    """
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".csv":
        pv.write_csv(table, path)
    else:
        raise BadValue(
            f"{path.name} is neither .csv nor .parquet",
            code="output.format",
            remedy="end its name in .csv or .parquet",
        )

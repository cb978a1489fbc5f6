"""Exports of the fleet's data to a region, and the assessments that allow them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from driveaway.book.when import When
from driveaway.book.writer import Outcome
from driveaway.facts import Draft, Fact
from driveaway.facts.incidents import TransferAssessed
from driveaway.fleet.exporting import WHAT, Exported, Tables, export, trips_of
from driveaway.fleet.residency import check_transfer
from driveaway.fleet.shares import shares_of
from driveaway.launch.erasing import trip_facts
from driveaway.launch.launch import FAR_FUTURE, Cut, Launch
from driveaway.launch.outputs import check_output
from driveaway.launch.recording import checked_body
from driveaway.values.clock import local_day, now, parse_day
from driveaway.values.errors import BadValue, NotFound, Unavailable
from driveaway.values.ids import parse_slug

if TYPE_CHECKING:
    import pyarrow as pa

_SUMS: Final = (
    "segments", "distance_m", "assisted_m", "duration_s", "energy_wh", "energy_m", "driver_overrides",
    "system_deactivations",
)  # fmt: skip
_BY: Final = ("vin", "day", "function", "level", "software", "city", "simulated")


@dataclass(frozen=True)
class Moved:
    """An export that was made, and the assessment that covers it; None: it did not leave its region."""

    written: Exported
    assessment: Fact | None


def export_fleet(
    launch: Launch, cut: Cut, to: str, what: str, out: Path, *, identified: bool = False
) -> Moved:
    """Export trips or daily sums of a cut to somebody in a region.

    Args:
        launch: whose data.
        cut: batches up to its mark, local days that were over at its as-of.
        to: region, ISO 3166-1 alpha-2.
        what: ``trips`` or ``daily``.
        out: a Parquet file.
        identified: with VINs instead of pseudonyms.

    Raises:
        Refused: it would leave its region, and no assessment that holds today covers it.
        BadValue: no region, nothing that can be exported, or a place where nothing can be written.
        NotFound: there is nothing to export.
        Unavailable: a file cannot be read or written.
    """
    if what not in WHAT:
        raise BadValue(f"{what!r} cannot be exported", code="export.what", remedy=f"one of {', '.join(WHAT)}")
    if len(to) != 2 or not to.isascii() or not to.isupper():
        raise BadValue(f"{to!r} is not a region", code="export.region", remedy="ISO 3166-1 alpha-2, as DE")
    check_output(launch.folder, launch.data, out)
    rules = launch.description.fleet
    assessments = launch.book.at(When(FAR_FUTURE, launch.book.edge().size)).facts("transfer.assessed")
    today = local_day(now(), launch.zone)
    covered = check_transfer(assessments, rules.residency, to, what, identified=identified, on=today)
    tables = _trips(launch, cut) if what == "trips" else _daily(cut)
    try:
        written = export(tables, out, least=rules.suppress_under, identified=identified)
    except OSError as error:
        raise Unavailable(
            f"the export cannot be written: {error.strerror or error}", code="export.write", place=str(out)
        ) from error
    if not written.rows:
        raise NotFound(
            "no trip had landed by this date and mark", code="export.nothing", remedy="a later --as-of"
        )
    return Moved(written, covered)


def assess(
    launch: Launch, fields: dict[str, Any], *, slug: str | None = None, at: int | None = None
) -> Outcome:
    """Record that some data may leave a region for another.

    Args:
        launch: whose data.
        fields: of ``TransferAssessed``, by name.
        slug: of the assessment; None: made of its regions and its last day.
        at: when it was made, microseconds since 1970 UTC; None: now.

    Raises:
        BadValue: a field does not fit.
    """
    for name in fields.get("what", ()):
        if name not in WHAT:
            raise BadValue(
                f"{name!r} cannot be exported", code="export.what", remedy=f"one of {', '.join(WHAT)}"
            )
    parse_day(str(fields.get("valid_until", "")))
    body: TransferAssessed = checked_body("transfer.assessed", fields)
    name = slug or f"{body.from_region}-{body.to_region}-{body.valid_until}".lower()
    (outcome,) = launch.append(
        [Draft("transfer.assessed", parse_slug(name), now() if at is None else at, body)]
    )
    return outcome


def _trips(launch: Launch, cut: Cut) -> Tables:
    landed = cut.view.table_at_mark("trips.landed").select("seq")
    batches = frozenset(cut.view.run(landed)[0].column("seq").to_pylist())
    shares = shares_of(trip_facts(launch.book))
    return trips_of(launch.data / "fleet", shares, batches, cut.view.last_day.isoformat())


def _daily(cut: Cut) -> Tables:
    view = cut.view

    def tables() -> Iterator[pa.Table]:
        ledger, cars = view.landed("ledger"), view.landed("cars")
        rows = ledger.join(cars.select("car", "vin"), "car")
        sums = rows.group_by(list(_BY)).aggregate(**{name: rows[name].sum() for name in _SUMS})
        wanted = sums.filter(sums.segments != 0).order_by("day", "vin")
        yield view.run(wanted)[0]

    return tables

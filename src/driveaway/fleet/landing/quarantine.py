"""Rows that were put aside: told, released, given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from driveaway.facts import Draft
from driveaway.facts.trips import QuarantineSettled, TripsLanded
from driveaway.fleet.columns import TRIPS
from driveaway.fleet.landing import putting_aside
from driveaway.fleet.landing.batch import Batch
from driveaway.fleet.landing.codes import BY_NAME, LOST, why
from driveaway.fleet.landing.columns import pack_keys
from driveaway.fleet.landing.files import writable, write_synced
from driveaway.fleet.landing.landing import KIND, SOURCE, Landing, as_fact
from driveaway.fleet.landing.loops.cars import NEVER
from driveaway.fleet.landing.loops.codes import Code
from driveaway.fleet.landing.part import Part, write_accepted
from driveaway.values.errors import BadValue, NotFound, Refused, Unavailable
from driveaway.values.files import sync_folder

SETTLED: Final = "trips.settled"
_SOURCE: Final = "urn:driveaway:trips-settled/"
_STAGED: Final = "settle-"
_WAITING: Final = why(Code.NOT_DELIVERED).name


@dataclass(frozen=True)
class Held:
    """Rows of one batch that were put aside for one reason.

    Attributes:
        batch: subject of the batch.
        code: stable, such as ``trips.overlaps``.
        rows: how many.
        cars: different VINs among them.
        arrived: when, microseconds since 1970 UTC.
    """

    batch: str
    code: str
    rows: int
    cars: int
    arrived: int


@dataclass(frozen=True)
class Settled:
    """What became of rows in the quarantine.

    Attributes:
        rows: landed now.
        repeated: there already.
        discarded: given up.
        kept: stay, by the code that they would have now.
    """

    rows: int = 0
    repeated: int = 0
    discarded: int = 0
    kept: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Settled) -> Settled:
        kept = dict(self.kept)
        for code, rows in other.kept.items():
            kept[code] = kept.get(code, 0) + rows
        return Settled(
            self.rows + other.rows, self.repeated + other.repeated, self.discarded + other.discarded, kept
        )


class Quarantine:
    """The quarantine of a folder.

    Args:
        landing: which lands what is released.
    """

    def __init__(self, landing: Landing) -> None:
        self._landing = landing
        self._folder = landing.folder
        self._looked: tuple[Any, ...] = ()

    # --- look ---

    def held(self, batch: str | None = None, code: str | None = None, vin: str | None = None) -> list[Held]:
        """What is put aside, by batch and code."""
        self._codes(code)
        out = []
        for subject, table in self._tables(batch, ["code", "vin", "arrived"]):
            if vin is not None:
                table = table.filter(pa.array(_chosen(table, None, vin)))
            counted = table.group_by("code").aggregate(
                [("vin", "count_distinct"), ("arrived", "min"), ("code", "count")]
            )
            out += [
                Held(subject, row["code"], row["code_count"], row["vin_count_distinct"], row["arrived_min"])
                for row in counted.to_pylist()
                if code in (None, row["code"])
            ]
        return sorted(out, key=lambda each: (each.arrived, each.batch, each.code))

    def rows(
        self,
        batch: str | None = None,
        code: str | None = None,
        vin: str | None = None,
        limit: int = 1_000_000,
    ) -> pa.Table:
        """Rows with their reasons and remedies, and ``batch`` beside, in order of batch and row."""
        self._codes(code)
        found = []
        for subject, table in self._tables(batch):
            chosen = table.filter(pa.array(_chosen(table, code, vin))).sort_by("row").slice(0, limit)
            limit -= len(chosen)
            found.append(chosen.add_column(0, "batch", pa.array([subject] * len(chosen), pa.string())))
        if not found:
            return putting_aside.PUT_ASIDE.empty_table().add_column(0, "batch", pa.array([], pa.string()))
        return pa.concat_tables(found)

    def _tables(
        self, batch: str | None, columns: Sequence[str] | None = None
    ) -> Iterator[tuple[str, pa.Table]]:
        """Batches and what of them is put aside, by name of the batch."""
        if batch is not None and not self._path(batch).exists():
            raise NotFound(
                f"nothing of {batch} is in quarantine", code="trips.no_quarantine",
                remedy="driveaway fleet quarantine list",
            )  # fmt: skip
        for path in sorted(self._folder.quarantine.glob("*.parquet")):
            if batch in (None, path.stem):
                yield path.stem, _read(path, columns)

    def _codes(self, code: str | None) -> list[Code]:
        """What a name stands for; a door's own, such as ``trips.json``, is known by the rows that have it."""
        if code is None:
            return list(Code)
        if code in BY_NAME:
            return [BY_NAME[code]]
        held = {each.code for each in self.held()}
        if code in held:
            return [Code.UNREADABLE]
        raise BadValue(
            f"there is no code {code!r}",
            code="trips.no_code",
            remedy=f"one of {', '.join(sorted({*BY_NAME, *held}))}",
        )

    def _path(self, subject: str) -> Path:
        return self._folder.quarantine / f"{subject}.parquet"

    # --- settle ---

    def release(
        self,
        batch: str | None = None,
        code: str | None = None,
        vin: str | None = None,
        *,
        anyway: bool = False,
        reason: str | None = None,
        by: str | None = None,
    ) -> Settled:
        """Check rows again and land those that can stand now.

        Args:
            batch, code, vin: which; None: any.
            anyway: accept them although what they were put aside for still holds.
            reason: why they are accepted, where ``anyway``.
            by: who does it.

        Raises:
            NotFound: nothing of the batch is in quarantine.
            Refused: ``anyway`` for a code that nobody can waive.
            BadValue: there is no such code.
        """
        chosen = self._codes(code)
        if anyway and (code is None or not why(chosen[0]).waivable):
            waivable = ", ".join(sorted(why(each).name for each in Code if why(each).waivable))
            raise Refused(
                f"{code or 'every code'} cannot be accepted anyway", code="trips.not_waivable",
                remedy=f"name one of {waivable}",
            )  # fmt: skip
        return self._each(
            batch, code, vin, lambda table, which, of: self._release(table, which, of, anyway, reason, by)
        )

    def discard(
        self,
        batch: str | None = None,
        code: str | None = None,
        vin: str | None = None,
        *,
        reason: str,
        by: str | None = None,
    ) -> Settled:
        """Give rows up; the fact says how many and why.

        Raises:
            NotFound, BadValue: as ``release``.
        """
        self._codes(code)

        def give_up(table: pa.Table, which: NDArray[np.bool_], of: tuple[str, str]) -> Settled:
            self._settle(table, which, of, "discarded", [], reason, by)
            return Settled(discarded=int(which.sum()))

        return self._each(batch, code, vin, give_up)

    def release_delivered(self) -> Settled:
        """Land rows whose cars were handed over since; cheap where nothing changed."""
        landing = self._landing
        waiting = tuple(
            (path.name, path.stat().st_mtime_ns) for path in sorted(self._folder.quarantine.glob("*.parquet"))
        )
        if not waiting:
            return Settled()
        done = Settled()
        with landing.hold():
            cars = landing.index.cars
            landing.checks.refresh(cars)
            state = (waiting, landing.checks.version)
            if state == self._looked:
                return done
            for subject, table in self._tables(None):
                if self._finish(subject):
                    table = _read(self._path(subject)) if self._path(subject).exists() else table.slice(0, 0)
                high, low, code = pack_keys(table["vin"].combine_chunks())
                number = cars.numbers(high, low, code, add=False)
                handed = (number >= 0) & (cars.records["handover"][number] != NEVER)
                which = _chosen(table, _WAITING, None) & handed
                if which.any():
                    done += self._release(table, which, (subject, _WAITING), False, None, None)
            self._looked = state if done == Settled() else ()
        return done

    def _each(
        self,
        batch: str | None,
        code: str | None,
        vin: str | None,
        work: Callable[[pa.Table, NDArray[np.bool_], tuple[str, str]], Settled],
    ) -> Settled:
        done = Settled()
        with self._landing.hold():
            subjects = [subject for subject, _ in self._tables(batch, ["code"])]
            for subject in subjects:
                self._finish(subject)
                path = self._path(subject)
                names = sorted(set(_read(path, ["code"])["code"].to_pylist())) if path.exists() else []
                for name in names:
                    if code not in (None, name):
                        continue
                    # Read anew: what was settled for the reason before is gone from it.
                    table = _read(path)
                    which = _chosen(table, name, vin)
                    if which.any():
                        done += work(table, which, (subject, name))
        return done

    def _release(
        self,
        table: pa.Table,
        which: NDArray[np.bool_],
        of: tuple[str, str],
        anyway: bool,
        reason: str | None,
        by: str | None,
    ) -> Settled:
        """Rows of one batch and one code. The folder's lock is held."""
        subject, name = of
        code = BY_NAME.get(name, Code.UNREADABLE)
        count = int(which.sum())
        if code in LOST:
            return Settled(kept={name: count})
        landing = self._landing
        rows = np.flatnonzero(which)
        columns = table.take(pa.array(rows)).select(TRIPS.names)
        (part,) = [landing.check([Batch(subject, "quarantine", columns)], waived=int(code) if anyway else 0)]
        accepted = part.sorted.origin[part.accepted]
        settled = np.zeros(len(table), bool)
        settled[rows[accepted]] = True
        settled[rows[part.repeated]] = True
        kept = part.code[part.code != 0]
        out = Settled(
            len(accepted), len(part.repeated),
            kept={why(int(each)).name: int((kept == each).sum()) for each in np.unique(kept)},
        )  # fmt: skip
        if settled.any():
            drafts = [self._landed(part, table, settled, of)] if len(accepted) else []
            self._settle(table, settled, of, "released", drafts, reason, by)
            landing.remember(part.sorted, part.accepted)
        return out

    def _landed(self, part: Part, table: pa.Table, settled: NDArray[np.bool_], of: tuple[str, str]) -> Draft:
        subject, name = of
        digest = _digest(table, settled, name)
        batch = f"q-{sha256(subject.encode()).hexdigest()[:24]}-{digest[:24]}"
        part.batches = [Batch(batch, "quarantine", part.batches[0].table)]
        (files,) = write_accepted(part, self._folder)
        body = TripsLanded(
            door="quarantine", origin=subject, sha256=digest, files=tuple(files), rows=len(part.accepted),
            repeated=len(part.repeated), residency=self._landing.rules.residency,
        )  # fmt: skip
        rows = part.sorted.rows
        happened = int(rows.start[part.accepted].min())
        simulated = bool(rows.simulated[part.accepted].any())
        return Draft(KIND, batch, happened, body, SOURCE + batch, simulated=simulated)

    def _settle(
        self,
        table: pa.Table,
        settled: NDArray[np.bool_],
        of: tuple[str, str],
        outcome: Any,
        drafts: list[Draft],
        reason: str | None,
        by: str | None,
    ) -> None:
        """Say what became of rows, and take them out of their file."""
        subject, name = of
        landing = self._landing
        digest = _digest(table, settled, name)
        staged = self._folder.staging / f"{_STAGED}{subject}.{digest[:32]}"
        with writable(self._folder.staging):
            self._folder.staging.mkdir(parents=True, exist_ok=True)
            write_synced(staged, putting_aside.encode(table.filter(pa.array(~settled))))
        body = QuarantineSettled(outcome=outcome, code=name, rows=int(settled.sum()), reason=reason, by=by)
        at = landing.clock()
        simulated = bool(pc.any(table["simulated"].filter(pa.array(settled))).as_py())
        source = _source(subject, staged.name)
        drafts = [*drafts, Draft(SETTLED, subject, at, body, source, simulated=simulated)]
        for draft, said in zip(drafts, landing.append(drafts), strict=True):
            if said.error is not None or said.seq is None:
                staged.unlink(missing_ok=True)
                raise said.error or Unavailable("the book did not accept it", code="trips.refused")
            landing.index.enter([as_fact(draft, said.seq)])
        self._take(staged, subject)

    def _finish(self, subject: str) -> bool:
        """End what was stopped between a fact and the file; whether there was something."""
        found = sorted(self._folder.staging.glob(f"{_STAGED}{subject}.*"))
        sources = {fact.source for fact in self._landing.book.about(subject)} if found else set()
        for staged in found:
            if _source(subject, staged.name) in sources:
                self._take(staged, subject)
            else:
                staged.unlink(missing_ok=True)
        return bool(found)

    def _take(self, staged: Path, subject: str) -> None:
        path = self._path(subject)
        with writable(path):
            if pq.read_metadata(staged).num_rows:
                staged.replace(path)
            else:
                path.unlink(missing_ok=True)
                staged.unlink(missing_ok=True)
            sync_folder(path.parent)


def _source(subject: str, staged: str) -> str:
    return f"{_SOURCE}{subject}/{staged.rpartition('.')[2]}"


def _digest(table: pa.Table, settled: NDArray[np.bool_], code: str) -> str:
    rows = table["row"].filter(pa.array(settled)).to_pylist()
    return sha256(f"{code}:{','.join(map(str, rows))}".encode()).hexdigest()


def _chosen(table: pa.Table, code: str | None, vin: str | None) -> NDArray[np.bool_]:
    out = np.ones(len(table), bool)
    for name, value in (("code", code), ("vin", vin)):
        if value is not None:
            flags = pc.fill_null(pc.equal(table[name], value), False)
            out &= flags.to_numpy(zero_copy_only=False).astype(bool)
    return out


def _read(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(path, columns=None if columns is None else list(columns), partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise Unavailable(
            f"it cannot be read: {error}",
            code="trips.file",
            place=str(path),
            remedy="restore it from a backup",
        ) from error

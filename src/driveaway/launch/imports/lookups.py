"""Look-up tables of a mapping: small second files, held in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from driveaway.launch.imports.files import opened
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.mapping import Lookup, Mapping
from driveaway.launch.imports.separated import Separated
from driveaway.values.errors import BadValue

Tables = dict[str, "Table"]


class Table:
    """One look-up table: the wanted columns by key.

    Attributes:
        by: the row's column whose value is looked up.
    """

    def __init__(
        self, lookup: Lookup, folder: Path, columns: Sequence[str], mapping: Mapping, limits: Limits
    ) -> None:
        """Read it.

        Raises:
            NotFound: there is no such file.
            BadValue: a column is missing, a key stands there twice with other values, a row cannot be
                read, or it has too many rows.
        """
        self.by = lookup.by
        self._name, self._refuse = lookup.name, lookup.missing == "refuse"
        self._columns = {name: index for index, name in enumerate(columns)}
        self._rows: dict[str, tuple[str, ...]] = {}
        path = folder / lookup.file
        with opened(path, "csv", limits) as file:
            shape = mapping.file
            reader = Separated(file.stream, limits, str(path), encoding=shape.encoding, quote=shape.quote)
            missing = sorted({lookup.key, *columns} - set(reader.names))
            if missing:
                raise BadValue(
                    f"there is no column {missing[0]!r}",
                    code="columns.missing",
                    place=str(path),
                    remedy=f"the table has: {', '.join(reader.names)}",
                )
            for rows in reader.batches(10_000):
                if rows.problems:
                    problem = rows.problems[0]
                    raise BadValue(
                        problem.problem,
                        code=problem.code,
                        place=f"{path} line {problem.line}",
                        remedy=problem.remedy,
                    )
                values = zip(*(rows.columns[name] for name in columns), strict=True)
                for line, key, found in zip(rows.lines, rows.columns[lookup.key], values, strict=True):
                    if self._rows.setdefault(key.strip(), found) != found:
                        raise BadValue(
                            f"the key {key!r} stands there twice with other values", code="lookup.ambiguous",
                            place=f"{path} line {line}", remedy="keep one of them",
                        )  # fmt: skip
                if len(self._rows) > limits.lookup_rows:
                    raise BadValue(
                        f"a look-up table has at most {limits.lookup_rows:,} rows",
                        code="lookup.rows",
                        place=str(path),
                        remedy="leave out what no row asks for",
                    )

    def find(self, key: str, columns: Sequence[str]) -> str | None:
        """The first of these columns that says something, for this key.

        Raises:
            BadValue: no such key, and that matters.
        """
        row = self._rows.get(key)
        if row is None:
            if self._refuse:
                raise BadValue(
                    f"{key[:80]!r} is not in the look-up table {self._name}", code="lookup.missing",
                    remedy='complete the table, or say missing = "empty" in the mapping',
                )  # fmt: skip
            return None
        return next((cell for name in columns if (cell := row[self._columns[name]])), None)


def load_tables(mapping: Mapping, folder: Path, limits: Limits) -> Tables:
    """Every look-up table of a mapping, from the imported file's folder.

    Raises:
        NotFound, BadValue: as ``Table``.
    """
    wanted: dict[str, dict[str, None]] = {lookup.name: {} for lookup in mapping.lookups}
    for source in mapping.sources():
        if source.lookup is not None and source.column is not None:
            names = (source.column,) if isinstance(source.column, str) else source.column
            wanted[source.lookup].update(dict.fromkeys(names))
    return {
        lookup.name: Table(lookup, folder, list(wanted[lookup.name]), mapping, limits)
        for lookup in mapping.lookups
    }

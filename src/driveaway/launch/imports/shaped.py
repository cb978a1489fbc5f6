"""Files whose columns are named like the fields of facts: ``--kind``, or a column ``kind``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from driveaway.facts import KINDS, Kind, kind_named
from driveaway.launch.imports.problems import Problem
from driveaway.launch.imports.rows import Columns, Proposal, Proposals, Rows
from driveaway.launch.imports.shaping import Shaper, Wanted, check_source, field_types
from driveaway.values.errors import BadValue

SUBJECT, HAPPENED, KIND, SOURCE, ID, REPLACES, SIMULATED = (
    "subject",
    "happened",
    "kind",
    "source",
    "id",
    "replaces",
    "simulated",
)
# Written by an export for the reader; the book that is imported into gives its own.
PASSED_OVER = frozenset({"seq", "recorded"})
_ALIASES = {"order": "order_id", "vin": "vin"}
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"", "false", "0"})


class Shaped:
    """Converts fact-shaped rows.

    Attributes:
        notes: what was assumed.
    """

    def __init__(
        self,
        names: Sequence[str],
        kind: str | None,
        shaper: Shaper,
        namespace: str,
        place: str,
        instants: Iterable[str] = (),
    ) -> None:
        """Check the header.

        Raises:
            BadValue: a column is missing or not known, or the kind is.
        """
        self._names = list(names)
        self._kind = None if kind is None else kind_named(kind)
        self._shaper = shaper
        self._namespace = namespace
        self._instants = HAPPENED in instants
        self.notes: list[str] = []
        kinds = [self._kind] if self._kind else list(KINDS.values())
        if self._kind is None and KIND not in names:
            raise BadValue(
                "neither --kind nor a column `kind` says what the rows are",
                code="columns.missing",
                place=place,
                remedy="give --kind, such as --kind order.locked, or a mapping",
            )
        self._subject_columns = {
            k.name: [c for c in (SUBJECT, self._alias(k)) if c in self._names] for k in kinds
        }
        if not any(self._subject_columns.values()):
            alias = self._alias(kinds[0]) if self._kind else ""
            raise BadValue(
                f"there is no column {SUBJECT!r}" + (f" or {alias!r}" if alias else ""),
                code="columns.missing",
                place=place,
                remedy="name the column that says what each fact is about, or use a mapping",
            )
        if HAPPENED not in names:
            raise BadValue(
                f"there is no column {HAPPENED!r}",
                code="columns.missing",
                place=place,
                remedy="name the column of the time so, or use a mapping",
            )
        self._check_known(kinds, place)

    @staticmethod
    def _alias(kind: Kind) -> str:
        alias = _ALIASES.get(kind.subject, "")
        return "" if alias in field_types(kind.body) else alias

    def _check_known(self, kinds: Sequence[Kind], place: str) -> None:
        common = {SUBJECT, HAPPENED, KIND, SOURCE, ID, REPLACES, SIMULATED} | PASSED_OVER
        fields = {name for kind in kinds for name in field_types(kind.body)}
        aliases = {self._alias(kind) for kind in kinds} - {""}
        known = common | fields | aliases
        strange = [name for name in self._names if name not in known]
        if strange:
            near = difflib.get_close_matches(strange[0], known, 1)
            hint = f"do you mean {near[0]!r}? Or " if near else ""
            raise BadValue(
                f"no fact of this kind has a field {', '.join(map(repr, strange))}",
                code="columns.unknown",
                place=place,
                remedy=f"{hint}leave the column out, or say in a mapping what it means",
            )

    def convert(self, rows: Rows) -> Proposals:
        """What the rows ask for."""
        problems = list(rows.problems)
        lines = [*rows.lines, *(problem.line for problem in problems)]
        if not rows.lines:
            return Proposals(lines, [], problems, [])
        if self._kind is not None and KIND not in rows.columns:
            facts, wrong = self._of_kind(self._kind, rows)
            return Proposals(lines, facts, problems + wrong, [])
        groups: dict[str, list[int]] = {}
        for index, name in enumerate(rows.columns[KIND]):
            groups.setdefault(name.strip() if type(name) is str else str(name or ""), []).append(index)
        found: list[Proposal] = []
        for name, indexes in groups.items():
            try:
                kind = kind_named(name)
                if self._kind is not None and kind is not self._kind:
                    raise BadValue(
                        f"the row is {name}, and --kind says {self._kind.name}",
                        code="kind.other",
                        remedy="leave --kind out to take each row's own kind",
                    )
            except BadValue as error:
                problems += [Problem.of(rows.lines[i], KIND, name, error) for i in indexes]
                continue
            facts, wrong = self._of_kind(kind, rows if len(groups) == 1 else rows.picked(indexes))
            found += facts
            problems += wrong
        if len(groups) > 1:
            found.sort(key=lambda proposal: proposal.line)
        return Proposals(lines, found, problems, [])

    def _of_kind(self, kind: Kind, rows: Rows) -> tuple[list[Proposal], list[Problem]]:
        lines, columns = rows.lines, rows.columns
        subject_columns = self._subject_columns.get(kind.name) or [SUBJECT]
        problems: list[Problem] = []
        if len(subject_columns) == 2:
            subjects: Sequence[Any] = [
                a or b for a, b in zip(*(columns[name] for name in subject_columns), strict=True)
            ]
        elif subject_columns[0] in columns:
            subjects = columns[subject_columns[0]]
        else:
            subjects = [None] * len(lines)
        fields = field_types(kind.body)
        taken = {SUBJECT, HAPPENED, KIND, SOURCE, ID, REPLACES, SIMULATED, self._alias(kind)} | PASSED_OVER
        wanted_fields = {
            name: columns[name]
            for name, expected in fields.items()
            if name in columns
            and (name not in taken or name == self._alias(kind))
            and (expected.required or not columns.is_blank(name))
        }
        bad: set[int] = set()
        for name in self._names:
            if name in fields or name in taken or name in _ALIASES.values():
                continue
            if not columns.is_blank(name):
                for index, cell in enumerate(columns[name]):
                    if cell not in (None, ""):
                        bad.add(index)
                        error = BadValue(
                            f"{kind.name} has no field {name!r}",
                            code="field.unknown",
                            remedy="empty the cell",
                        )
                        problems.append(Problem.of(lines[index], name, cell, error))
        simulated, corrects = None, None
        if SIMULATED in columns:
            simulated = []
            # Few different cells, and many rows: each is read once.
            read: dict[bool | str, bool | None] = {}
            for index, cell in enumerate(columns[SIMULATED]):
                if type(cell) not in (bool, str):
                    cell = "" if cell is None else str(cell)
                if cell not in read:
                    read[cell] = _truth(cell)
                truth = read[cell]
                if truth is None:
                    bad.add(index)
                    error = BadValue(
                        "simulated is true or false", code="field.type", remedy="write true or false"
                    )
                    problems.append(Problem.of(lines[index], SIMULATED, cell, error))
                simulated.append(truth is True)
        if REPLACES in columns:
            corrects = [str("" if cell is None else cell).strip() for cell in columns[REPLACES]]
        sources = self._sources(kind, columns, lines, problems, bad)
        wanted = Wanted(
            kind,
            lines,
            subjects,
            columns[HAPPENED],
            wanted_fields,
            sources,
            {"subject": subject_columns[0]} | ({"source": ID} if ID in columns else {}),
            simulated,
            corrects,
            self._instants,
        )
        facts, wrong = self._shaper.shape(wanted)
        if bad:
            lost = {lines[index] for index in bad}
            facts = [fact for fact in facts if fact.line not in lost]
        return facts, problems + wrong

    def _sources(
        self,
        kind: Kind,
        columns: Columns,
        lines: Sequence[int],
        problems: list[Problem],
        bad: set[int],
    ) -> list[str] | None:
        if SOURCE not in columns and ID not in columns:
            return None
        given = columns[SOURCE] if SOURCE in columns else [""] * len(lines)
        ids = columns[ID] if ID in columns else [""] * len(lines)
        sources = [
            f"{source or self._namespace}/{own}/{kind.name}" if own not in (None, "") else str(source or "")
            for source, own in zip(given, ids, strict=True)
        ]
        if max(map(len, sources), default=0) > 500 or not "".join(sources).isprintable():
            for index, source in enumerate(sources):
                try:
                    check_source(source)
                except BadValue as error:
                    bad.add(index)
                    problems.append(Problem.of(lines[index], SOURCE, source, error))
        return sources


def _truth(cell: bool | str) -> bool | None:
    text = str(cell).strip().lower()
    return True if text in _TRUE else False if text in _FALSE else None

"""Mapping files: what foreign columns mean, in TOML. Every attribute is defined here once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from driveaway.facts import Kind, kind_named
from driveaway.launch.imports.shaping import field_types
from driveaway.launch.imports.times import EPOCHS, ISO
from driveaway.values.clock import zone
from driveaway.values.errors import BadValue, DriveawayError, NotFound
from driveaway.values.ids import parse_slug

_PACKAGED = "driveaway.cases"
Unit = Literal[
    "m", "km", "mi", "Wh", "kWh", "MWh", "s", "min", "h", "fen", "yuan", "cents", "euro", "dollar", "major",
    "minor", "percent",
]  # fmt: skip


Character = Annotated[str, Meta(min_length=1, max_length=1)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class FileShape(_Table, frozen=True, kw_only=True):
    """How the file is written; what is left out is found out."""

    format: Annotated[
        Literal["csv", "parquet", "ndjson"] | None, Meta(description="left out: by its name or content")
    ] = None
    encoding: Annotated[
        str | None, Meta(description="such as `gb18030` or `latin-1`; a byte-order mark wins")
    ] = None
    separator: Annotated[Character | None, Meta(description="one character between cells")] = None
    quote: Annotated[Character, Meta(description="one character round cells")] = '"'
    decimal: Annotated[
        Literal[".", ","], Meta(description="sign before the decimals; the other one may group thousands")
    ] = "."
    empty: Annotated[tuple[str, ...], Meta(description="cells that say nothing, beside the empty one")] = ()


class TimeShape(_Table, frozen=True, kw_only=True):
    """How times are written."""

    zone: Annotated[
        str | None, Meta(description="IANA zone of times without offset; left out: they are refused")
    ] = None
    formats: Annotated[
        tuple[str, ...],
        Meta(
            description="tried in turn: `iso`, `epoch-s`, `epoch-ms`, `epoch-us`, or a pattern "
            "of `strptime` such as `%d/%m/%Y %H:%M`",
            min_length=1,
        ),
    ] = (ISO,)
    days: Annotated[
        Literal["start", "end"], Meta(description="which end of the local day a mere day means")
    ] = "start"


class Lookup(_Table, frozen=True, kw_only=True):
    """A second table, by whose key a row finds more columns (CSV, held in memory)."""

    name: Annotated[str, Meta(description="how fields refer to it", min_length=1)]
    file: Annotated[str, Meta(description="its path, from the folder of the imported file", min_length=1)]
    key: Annotated[str, Meta(description="its column that is looked up")]
    by: Annotated[str, Meta(description="the row's column whose value is looked up")]
    missing: Annotated[Literal["refuse", "empty"], Meta(description="what an unknown key means")] = "refuse"


class Source(_Table, frozen=True, kw_only=True):
    """Where a value comes from: a column, or a constant."""

    column: Annotated[
        str | tuple[str, ...] | None, Meta(description="a column; of several the first that says something")
    ] = None
    constant: Annotated[str | int | float | bool | None, Meta(description="the same for every row")] = None
    values: Annotated[str | None, Meta(description="translation: the name of a table under `[values]`")] = (
        None
    )
    otherwise: Annotated[
        Literal["refuse", "keep", "empty"], Meta(description="what a value without translation means")
    ] = "refuse"
    unit: Annotated[
        Unit | None,
        Meta(
            description="unit of the column; turned into metres, watt-hours, seconds, minor units of "
            "money, shares"
        ),
    ] = None
    currency: Annotated[
        str | None, Meta(description='for `unit = "major"`: ISO 4217; left out: the launch\'s')
    ] = None
    lookup: Annotated[str | None, Meta(description="the look-up table that the column is in")] = None


class Condition(_Table, frozen=True, kw_only=True):
    """What must be true of a row. One of `is`, `is_not` and `empty` is given."""

    column: Annotated[str, Meta(description="the column looked at")]
    is_: Annotated[str | tuple[str, ...] | None, Meta(description="is this text, or one of these")] = (
        msgspec.field(default=None, name="is")
    )
    is_not: Annotated[str | tuple[str, ...] | None, Meta(description="is none of these")] = None
    empty: Annotated[bool | None, Meta(description="says nothing (`true`), or something (`false`)")] = None


class FactShape(_Table, frozen=True, kw_only=True):
    """One fact that a row may hold; a row can hold several."""

    kind: Annotated[
        str | Source, Meta(description="kind of the fact, or where it stands (then usually with `values`)")
    ]
    name: Annotated[
        str | None,
        Meta(description="tells facts of one kind in one row apart; part of the source; left out: the kind"),
    ] = None
    subject: Annotated[str | Source, Meta(description="column of the order id, VIN or slug")]
    happened: Annotated[
        str | tuple[str, ...] | Source,
        Meta(description="column of the time; of several the first that says something; or a constant"),
    ]
    when: Annotated[tuple[Condition, ...], Meta(description="only rows for which all of these hold")] = ()
    id: Annotated[
        str | None, Meta(description="column of the fact's own id; left out: the mapping's `id`")
    ] = None
    fields: Annotated[
        dict[str, str | Source], Meta(description="field of the kind → column, or where it comes from")
    ] = {}


class PassOver(_Table, frozen=True, kw_only=True):
    """Rows that are left out on purpose, and counted."""

    when: Annotated[tuple[Condition, ...], Meta(description="rows for which all of these hold", min_length=1)]
    why: Annotated[str, Meta(description="said in the result", min_length=1)]


class Mapping(_Table, frozen=True, kw_only=True):
    """A mapping file."""

    name: Annotated[
        str,
        Meta(
            description="slug; names the system that ids come from: part of every source, and of every "
            "order id made of a foreign one"
        ),
    ]
    title: Annotated[str | None, Meta(description="what it maps, for people")] = None
    id: Annotated[
        str | None, Meta(description="column that tells rows apart; left out: a fact is told by its content")
    ] = None
    file: Annotated[FileShape, Meta(description="how the file is written")] = FileShape()
    time: Annotated[TimeShape, Meta(description="how times are written")] = TimeShape()
    values: Annotated[
        dict[str, dict[str, str]], Meta(description="translations: name → (theirs → ours)")
    ] = {}
    lookups: Annotated[tuple[Lookup, ...], Meta(description="second tables")] = ()
    pass_over: Annotated[tuple[PassOver, ...], Meta(description="rows left out on purpose")] = ()
    facts: Annotated[tuple[FactShape, ...], Meta(description="the facts of a row", min_length=1)]

    def kinds_of(self, fact: FactShape) -> list[Kind]:
        """The kinds that a fact of this shape may have.

        Raises:
            BadValue: one of them is no kind, or they cannot be told beforehand.
        """
        if isinstance(fact.kind, str):
            return [kind_named(fact.kind)]
        if fact.kind.constant is not None:
            return [kind_named(str(fact.kind.constant))]
        if fact.kind.values is None or fact.kind.otherwise == "keep":
            raise BadValue(
                "a kind that stands in a column needs a translation", code="mapping.kind",
                remedy='kind = { column = "status", values = "kinds" }',
            )  # fmt: skip
        return [kind_named(name) for name in dict.fromkeys(self.values[fact.kind.values].values()) if name]

    def _conditions(self) -> Iterator[tuple[Condition, ...]]:
        yield from (fact.when for fact in self.facts)
        yield from (rule.when for rule in self.pass_over)

    def sources(self) -> Iterator[Source]:
        """Every value's origin."""
        for fact in self.facts:
            for one in (fact.kind, fact.subject, fact.happened, *fact.fields.values()):
                if isinstance(one, Source):
                    yield one

    def columns(self) -> set[str]:
        """Columns that the imported file must have."""
        found: set[str] = {lookup.by for lookup in self.lookups}
        if self.id is not None:
            found.add(self.id)
        for condition in (c for when in self._conditions() for c in when):
            found.add(condition.column)
        for fact in self.facts:
            if fact.id is not None:
                found.add(fact.id)
            named = [fact.subject, fact.happened, *fact.fields.values()]
            if isinstance(fact.kind, Source):
                named.append(fact.kind)
            for one in named:
                if isinstance(one, Source):
                    if one.lookup is not None or one.column is None:
                        continue
                    one = one.column
                found.update([one] if isinstance(one, str) else one)
        return found


def read_mapping(text: str, place: str) -> Mapping:
    """Read a mapping file's text.

    Raises:
        BadValue: not TOML, an unknown attribute, a wrong type, or a name that leads nowhere.
    """
    try:
        content: dict[str, Any] = tomllib.loads(text)
        mapping = msgspec.convert(content, Mapping)
        _check(mapping)
    except tomllib.TOMLDecodeError as error:
        raise BadValue(
            f"this is not TOML: {error}", code="mapping.toml", place=place, remedy="correct that line"
        ) from error
    except msgspec.ValidationError as error:
        raise BadValue(
            str(error),
            code="mapping.shape",
            place=place,
            remedy="the reference page of mappings lists every attribute",
        ) from error
    except DriveawayError as error:
        raise error.at(place) from error.__cause__
    return mapping


def load_mapping(named: str | Path) -> tuple[Mapping, Path | None]:
    """A mapping by its path, or a packaged one by its name; and the folder that it is in.

    Raises:
        NotFound: neither a file nor a packaged mapping.
        BadValue: it cannot be read.
    """
    path = Path(named)
    if path.is_file():
        try:
            return read_mapping(path.read_text(encoding="utf-8-sig"), str(path)), path.parent
        except UnicodeDecodeError as error:
            raise BadValue(
                "a mapping is UTF-8", code="mapping.toml", place=str(path), remedy="save it as UTF-8"
            ) from error
    if path.name == str(named) and not path.suffix:
        resource = files(_PACKAGED).joinpath("mappings", f"{named}.toml")
        if resource.is_file():
            return read_mapping(resource.read_text(encoding="utf-8"), f"{named}.toml"), None
    raise NotFound(
        f"there is no mapping {str(named)!r}", code="mapping.missing",
        remedy=f"a file, or one of the packaged: {', '.join(packaged())}",
    )  # fmt: skip


def packaged() -> list[str]:
    """Names of the packaged mappings."""
    folder = files(_PACKAGED).joinpath("mappings")
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def _check(mapping: Mapping) -> None:
    parse_slug(mapping.name)
    if mapping.time.zone is not None:
        zone(mapping.time.zone)
    for form in mapping.time.formats:
        if form != ISO and form not in EPOCHS and "%" not in form:
            raise BadValue(
                f"{form!r} is not a time format",
                code="mapping.time",
                remedy="iso, epoch-s, or a strptime pattern",
            )
    lookups = {lookup.name for lookup in mapping.lookups}
    for source in mapping.sources():
        if (source.column is None) == (source.constant is None):
            raise BadValue(
                "a value comes from a column or is a constant, one of them",
                code="mapping.source",
                remedy="give one of them",
            )
        if source.values is not None and source.values not in mapping.values:
            raise BadValue(
                f"there is no [values.{source.values}]",
                code="mapping.values",
                remedy="add it, or correct the name",
            )
        if source.lookup is not None and source.lookup not in lookups:
            raise BadValue(
                f"there is no look-up table {source.lookup!r}",
                code="mapping.lookup",
                remedy="add it to [[lookups]], or correct the name",
            )
    for condition in (c for when in mapping._conditions() for c in when):
        if sum(part is not None for part in (condition.is_, condition.is_not, condition.empty)) != 1:
            raise BadValue(
                f"the condition on {condition.column!r} needs one of is, is_not and empty",
                code="mapping.condition",
                remedy="give one of them",
            )
    names: set[str] = set()
    for fact in mapping.facts:
        kinds = mapping.kinds_of(fact)
        name = fact.name or (fact.kind if isinstance(fact.kind, str) else "")
        if name in names:
            raise BadValue(
                f"two facts of a row are called {name or 'by their kind'!r}", code="mapping.fact_name",
                remedy="give each a `name` of its own: it becomes part of the source",
            )  # fmt: skip
        names.add(name)
        for field in fact.fields:
            if not any(field in field_types(kind.body) for kind in kinds):
                known = ", ".join(field_types(kinds[0].body))
                raise BadValue(
                    f"{kinds[0].name} has no field {field!r}", code="mapping.field", remedy=f"fields: {known}"
                )

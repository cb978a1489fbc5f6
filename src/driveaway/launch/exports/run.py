"""Exporting facts: all or some kinds, the whole history or a cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from driveaway.launch.exports.selecting import chosen
from driveaway.launch.exports.writing import CloudEvents, Parquet, Separated, Sink
from driveaway.launch.outputs import check_output
from driveaway.values.errors import BadValue, Unavailable

if TYPE_CHECKING:
    from driveaway.book.when import When
    from driveaway.launch.launch import Launch

Format = Literal["cloudevents", "parquet", "csv"]
FORMATS: Final[tuple[Format, ...]] = ("cloudevents", "parquet", "csv")
_ENDINGS: Final = {"parquet": ".parquet", "csv": ".csv"}
_EVERY = 5_000


def export_facts(
    launch: Launch,
    form: str,
    out: str | Path,
    *,
    kinds: Collection[str] | None = None,
    when: When | None = None,
    personal: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write facts to files that appear under their names only when they are complete.

    Args:
        launch: whose book.
        form: ``cloudevents`` (NDJSON), ``parquet`` or ``csv``.
        out: a file for ``cloudevents``; else a folder with one file a kind, or a file when one kind
            is asked for and the name ends so.
        kinds: only these kinds.
        when: the cut: live facts as of its as-of, at its mark. Left out: the whole history, with what
            was corrected and withdrawn, which an import into an empty launch records again in full.
        personal: with the personal fields.
        progress: called with (seq, last seq).

    Returns:
        How many facts were written.

    Raises:
        BadValue: no such format or kind, or a place where nothing can be written.
        Unavailable: a file cannot be written.
    """
    if form not in FORMATS:
        raise BadValue(
            f"{form!r} is not a format", code="export.format", remedy=f"one of {', '.join(FORMATS)}"
        )
    out = Path(out)
    single = form == "cloudevents" or _one_file(form, out, kinds)
    check_output(launch.folder, launch.data, out, folder=not single)
    if when is not None and not 0 <= when.mark <= launch.book.edge().size:
        raise BadValue(
            f"mark {when.mark} is not within the book",
            code="mark.range",
            remedy="leave the mark out for the newest",
        )
    sinks: dict[str, Sink] = {}
    parts: dict[Path, Path] = {}
    last = launch.book.edge().size if when is None else when.mark
    count = 0
    try:
        try:
            if form == "cloudevents":
                sinks[""] = _sink(form, "", out, parts, personal)
            for one in chosen(launch.book, kinds, when):
                kind = "" if form == "cloudevents" else one.fact.kind
                sink = sinks.get(kind)
                if sink is None:
                    target = out if single else out / f"{kind}{_ENDINGS[form]}"
                    if not single:
                        out.mkdir(exist_ok=True)
                        check_output(launch.folder, launch.data, target)
                    sink = sinks[kind] = _sink(form, kind, target, parts, personal)
                sink.write(one)
                count += 1
                if progress is not None and count % _EVERY == 0:
                    progress(one.fact.seq, last)
        finally:
            for sink in sinks.values():
                sink.close()
        for part, target in parts.items():
            os.replace(part, target)
    except OSError as error:
        raise Unavailable(
            f"the export cannot be written: {error.strerror or error}", code="export.write", place=str(out)
        ) from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    if progress is not None:
        progress(last, last)
    return count


def _one_file(form: str, out: Path, kinds: Collection[str] | None) -> bool:
    """Whether the name is that of the one file: one kind is asked for and the name ends so."""
    return out.suffix == _ENDINGS[form] and kinds is not None and len(set(kinds)) == 1


def _sink(form: str, kind: str, target: Path, parts: dict[Path, Path], personal: bool) -> Sink:
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    parts[part] = target
    if form == "cloudevents":
        return CloudEvents(part.open("wb"), personal=personal)
    if form == "parquet":
        return Parquet(part, kind, personal=personal)
    return Separated(part, kind, personal=personal)

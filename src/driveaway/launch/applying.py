"""What ``driveaway apply`` takes into the book: launch.toml, its targets, functions, and the record files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from driveaway.book.view import View
from driveaway.cases import RECORDS, read_record
from driveaway.facts import Draft, Fact
from driveaway.facts.description import Description, Target
from driveaway.facts.launches import LaunchDescribed
from driveaway.facts.public import TargetSet
from driveaway.launch.contents import check_days, check_measure
from driveaway.launch.functions import KINDS, function_drafts
from driveaway.values.clock import parse_day, parse_instant, start_of_day
from driveaway.values.errors import BadValue, DriveawayError
from driveaway.values.ids import parse_slug


class Folder(Protocol):
    """What is needed of a launch."""

    folder: Path
    text: str
    description: Description
    zone: ZoneInfo

    def described(self) -> Fact | None:
        """The last description in the book."""
        ...


def apply_drafts(
    launch: Folder, view: View | None, happened: int, *, begins: int | None = None
) -> list[Draft]:
    """Everything in the folder that the book does not hold in this form yet.

    Args:
        launch: the folder.
        view: the book as it stands, for what is a correction; None when it is empty.
        happened: when the description, and what changed of the functions, begins to hold.
        begins: since when new functions are open whose gate names no beginning; default: the same.
    """
    drafts = _described(launch, happened)
    targets = target_drafts(launch.description, launch.zone)
    drafts += _as_corrections(targets, _held(view, "target.set", _prefix(launch, "target")), _same_target)
    for file in RECORDS:
        drafts += _recorded(launch, file, view)
    functions = [] if view is None else [fact for kind in KINDS for fact in view.facts(kind)]
    return drafts + function_drafts(
        launch.folder,
        launch.description,
        launch.zone,
        functions,
        at=happened,
        begins=happened if begins is None else begins,
    )


def left_out(launch: Folder, view: View) -> list[Fact]:
    """Facts that an earlier application took in and that no file of the folder says any more."""
    said = {_target_key(draft.source) for draft in target_drafts(launch.description, launch.zone)}
    held = _held(view, "target.set", _prefix(launch, "target"))
    out = [fact for fact in held if _target_key(fact.source) not in said]
    for file, record in RECORDS.items():
        subjects = {draft.subject for draft in _read(launch, file)}
        out += [f for f in _held(view, record.kind, _prefix(launch, file)) if f.subject not in subjects]
    return out


def _prefix(launch: Folder, what: str) -> str:
    return f"urn:driveaway:launch:{launch.description.launch}/{what}/"


def _held(view: View | None, kind: str, prefix: str) -> list[Fact]:
    return [] if view is None else [fact for fact in view.facts(kind) if fact.source.startswith(prefix)]


def _described(launch: Folder, happened: int) -> list[Draft]:
    digest = hashlib.sha256(launch.text.encode()).hexdigest()
    last = launch.described()
    if last is not None and last.body.digest == digest:  # type: ignore[attr-defined]
        return []
    source = f"urn:driveaway:launch:{launch.description.launch}/described/{digest}"
    if last is not None:
        source += f"/{last.seq}"
    body = LaunchDescribed(digest=digest, text=launch.text)
    return [Draft("launch.described", launch.description.launch, happened, body, source, place="launch.toml")]


def target_drafts(description: Description, zone: ZoneInfo) -> list[Draft]:
    """One ``target.set`` for each target of launch.toml, the same at every application.

    Raises:
        BadValue: a target speaks of a figure that there is not, its days cannot be read, or it is set
            twice at one time.
    """
    drafts: list[Draft] = []
    for target in sorted(description.targets, key=lambda t: t.set_on):
        place = f"launch.toml target {target.name}"
        try:
            drafts.append(_target(target, description, zone, place))
        except DriveawayError as error:
            raise error.at(place) from None
    _refuse_twice(drafts, lambda draft: _target_key(draft.source), "is set twice at one time")
    return drafts


def _target(target: Target, description: Description, zone: ZoneInfo, place: str) -> Draft:
    check_measure(target.measure)
    on = target.set_on
    happened = start_of_day(parse_day(on), zone) if len(on) == 10 else parse_instant(on, zone)
    check_days(target.from_day, target.until_day)
    names = [name for name in TargetSet.__struct_fields__ if hasattr(target, name)]
    try:
        body = msgspec.convert({name: getattr(target, name) for name in names}, TargetSet)
    except msgspec.ValidationError as error:
        raise BadValue(str(error), code="target.shape", remedy="see the reference of launch.toml") from error
    source = f"urn:driveaway:launch:{description.launch}/target/{target.name}/{on}/{_digest(body)}"
    return Draft("target.set", parse_slug(target.name), happened, body, source, place=place)


def _target_key(source: str) -> str:
    """Which target, set when: its amount may be corrected, and it stays the same one."""
    return _TARGET.split(source)[0]


def _same_target(draft: Draft, fact: Fact) -> bool:
    return _target_key(draft.source) == _target_key(fact.source)


def _recorded(launch: Folder, file: str, view: View | None) -> list[Draft]:
    drafts = [
        msgspec.structs.replace(draft, source=f"{draft.source}/{_digest(draft.body)}/{draft.happened}")
        for draft in _read(launch, file)
    ]
    held = _held(view, RECORDS[file].kind, _prefix(launch, file))
    return _as_corrections(drafts, held, lambda draft, fact: draft.subject == fact.subject)


def _read(launch: Folder, file: str) -> list[Draft]:
    path = launch.folder / file
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadValue(
            f"byte {error.start + 1} is not UTF-8",
            code="record.encoding",
            place=str(path),
            remedy="save the file as UTF-8",
        ) from error
    prefix = _prefix(launch, file).removesuffix("/")
    drafts = list(read_record(file, text, launch.zone, prefix, str(path)))
    _refuse_twice(drafts, lambda draft: draft.subject, "stands in an earlier line already")
    return drafts


def _refuse_twice(drafts: Sequence[Draft], key: Callable[[Draft], str], what: str) -> None:
    seen: set[str] = set()
    for draft in drafts:
        if key(draft) in seen:
            raise BadValue(
                f"{draft.subject} {what}",
                code="record.twice",
                place=draft.place,
                remedy="one of them needs another name",
            )
        seen.add(key(draft))


def _as_corrections(
    drafts: Sequence[Draft], held: Sequence[Fact], same: Callable[[Draft, Fact], bool]
) -> list[Draft]:
    """The drafts that say something new; one that was edited corrects what it said before."""
    out: list[Draft] = []
    for draft in drafts:
        old = next((fact for fact in held if same(draft, fact)), None)
        if old is None:
            out.append(draft)
        elif old.body != draft.body or old.happened != draft.happened:
            # An edit that is taken back needs a source of its own, too.
            source = f"{draft.source}/after-{old.seq}"
            out.append(msgspec.structs.replace(draft, source=source, replaces=old.seq))
    return out


# What follows the name and the time in a target's source.
_TARGET = re.compile(r"/[0-9a-f]{12}(?:/after-[0-9]+)?\Z")


def _digest(body: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()[:12]

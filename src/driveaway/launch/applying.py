"""What ``driveaway apply`` takes into the book: launch.toml, its targets, and the record files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from driveaway.book.view import View
from driveaway.cases import RECORDS, read_record
from driveaway.facts import Draft, Fact
from driveaway.facts.description import Description
from driveaway.facts.launches import LaunchDescribed
from driveaway.facts.public import TargetSet
from driveaway.values.clock import parse_day, parse_instant, start_of_day
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


def apply_drafts(launch: Folder, view: View | None, happened: int) -> list[Draft]:
    """Everything in the folder that the book does not hold in this form yet.

    Args:
        launch: the folder.
        view: the book as it stands, for what is a correction; None when it is empty.
        happened: when the description begins to hold.
    """
    drafts = _described(launch, happened)
    drafts += target_drafts(launch.description, launch.zone)
    for file in RECORDS:
        drafts += _recorded(launch, file, view)
    return drafts


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
    """One ``target.set`` for each target of launch.toml, the same at every application."""
    drafts: list[Draft] = []
    for target in sorted(description.targets, key=lambda t: t.set_on):
        on = target.set_on
        happened = start_of_day(parse_day(on), zone) if len(on) == 10 else parse_instant(on, zone)
        body = TargetSet(
            measure=target.measure,
            amount=target.amount,
            qualifier=target.qualifier,
            from_day=target.from_day,
            until_day=target.until_day,
            role=target.role,
            said=target.said,
            reference=target.reference,
        )
        source = f"urn:driveaway:launch:{description.launch}/target/{target.name}/{on}/{_digest(body)}"
        drafts.append(
            Draft("target.set", parse_slug(target.name), happened, body, source, place="launch.toml")
        )
    return drafts


def _recorded(launch: Folder, file: str, view: View | None) -> list[Draft]:
    path = launch.folder / file
    if not path.is_file():
        return []
    prefix = f"urn:driveaway:launch:{launch.description.launch}/{file}"
    text = path.read_text(encoding="utf-8-sig")
    drafts = list(read_record(file, text, launch.zone, prefix, str(path)))
    kind = RECORDS[file].kind
    known = {} if view is None else {f.subject: f for f in view.facts(kind) if f.source.startswith(prefix)}
    out: list[Draft] = []
    for draft in drafts:
        old = known.get(draft.subject)
        if old is not None and old.body == draft.body and old.happened == draft.happened:
            continue
        changes: dict[str, Any] = {"source": f"{draft.source}/{_digest(draft.body)}/{draft.happened}"}
        if old is not None:
            # The line was edited: a correction of what it said before.
            changes = {"source": f"{changes['source']}/after-{old.seq}", "replaces": old.seq}
        out.append(msgspec.structs.replace(draft, **changes))
    return out


def _digest(body: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()[:12]

"""Where the fleet's data may lie: a tag in its folder, and assessments that let some of it leave."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from driveaway.facts import Fact
from driveaway.facts.incidents import TransferAssessed
from driveaway.values.errors import Refused
from driveaway.values.files import write_whole

TAG: Final = "residency.json"


class Tag(msgspec.Struct, frozen=True):
    """What the folder says of itself: the region that its data belongs to, ISO 3166-1 alpha-2."""

    residency: str | None = None


def read_tag(root: Path) -> Tag | None:
    """The tag of a folder; None where it has none.

    Raises:
        Refused: it cannot be read; where the data belongs is not known then.
    """
    try:
        return msgspec.json.decode((root / TAG).read_bytes(), type=Tag)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Refused(
            f"the tag of the fleet's data cannot be read: {error}",
            code="residency.unreadable",
            place=str(root / TAG),
            remedy="restore it from a backup",
        ) from error


def check_residency(root: Path, residency: str | None) -> None:
    """Refuse to open data of another region; tag what has no tag yet.

    Args:
        root: the folder of the fleet's data; one that is not there holds nothing.
        residency: as launch.toml says.

    Raises:
        Refused: the tag names another region than launch.toml.
    """
    tag = read_tag(root)
    if tag is not None and tag.residency is not None and tag.residency != residency:
        raise Refused(
            f"the fleet's data belongs to {tag.residency}, and launch.toml says {residency or 'nothing'}",
            code="residency.differs",
            place=str(root / TAG),
            remedy=f'write residency = "{tag.residency}" under [fleet], or export what an assessment covers'
            " to a launch of the other region",
        )
    if residency is not None and root.is_dir() and (tag is None or tag.residency is None):
        # A folder that cannot be written is read all the same: nothing can be added to it untagged.
        with suppress(PermissionError):
            write_tag(root, residency)


def write_tag(root: Path, residency: str) -> None:
    """Tag a folder; whoever makes one does so before anything else lies in it."""
    write_whole(root / TAG, msgspec.json.encode(Tag(residency)))


def check_transfer(
    assessments: Iterable[Fact], home: str | None, to: str, what: str, *, identified: bool, on: date
) -> Fact | None:
    """Refuse to let data leave its region without an assessment that covers it.

    Args:
        assessments: live facts ``transfer.assessed``.
        home: the region that the data belongs to; None: none was said, nothing binds it.
        to: where it is to go.
        what: what is exported.
        identified: whether VINs go with it.
        on: the day of the export.

    Returns:
        The assessment that covers it; None: it stays where it belongs.

    Raises:
        Refused: none covers it.
    """
    if home is None or home == to:
        return None
    near: list[str] = []
    for fact in assessments:
        body = fact.body
        if not isinstance(body, TransferAssessed) or (body.from_region, body.to_region) != (home, to):
            continue
        lacks = _lacks(body, what, identified=identified, on=on)
        if lacks is None:
            return fact
        near.append(f"{fact.subject} {lacks}")
    why = f": {'; '.join(near)}" if near else ""
    with_vins = " with VINs" if identified else ""
    asked = f"--to {to} --what {what}{' --identified' if identified else ''}"
    raise Refused(
        f"no recorded assessment lets {what}{with_vins} leave {home} for {to}{why}",
        code="residency.refused",
        remedy=f"driveaway fleet assess --from {home} {asked} … once it was assessed",
    )


def _lacks(body: TransferAssessed, what: str, *, identified: bool, on: date) -> str | None:
    if what not in body.what:
        return f"covers {', '.join(body.what)} alone"
    if identified and not body.identified:
        return "covers no VINs"
    return f"ended on {body.valid_until}" if body.valid_until < on.isoformat() else None

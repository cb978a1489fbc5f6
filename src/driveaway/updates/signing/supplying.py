"""A supplier's side: what it signs under its own path, made without the maker's repository or a network.

The supplier has the metadata that the maker publishes anyway (``bundle``), and the root that it was given.
From these, verified as a car verifies them, the next version of its own metadata is made as a proposal, is
signed where its keys are, and is carried to the maker, who publishes it (``Repository.take``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from driveaway.updates.signing.checking import check_targets
from driveaway.updates.signing.drafting import Drafting
from driveaway.updates.signing.entries import Entry, entry_of
from driveaway.updates.signing.folder import file_name
from driveaway.updates.signing.proposals import Proposal, welcome
from driveaway.updates.signing.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, Periods, supplier_role
from driveaway.updates.signing.state import State, ever, suppliers_of
from driveaway.updates.signing.verifying import Trust
from driveaway.values.errors import NotFound
from driveaway.values.ids import parse_slug


def supplied(
    name: str,
    supplier: str,
    entries: Sequence[Entry],
    *,
    bundle: bytes,
    root: bytes,
    by: str,
    at: int,
    remove: Collection[str] = (),
    reason: str = "",
) -> Proposal:
    """Propose what a supplier signs next: all that it signed so far, with entries added and paths removed.

    Args:
        name: slug of the proposal.
        supplier: its name.
        entries: artifacts to add, under ``suppliers/SUPPLIER/``. Those of modules whose counter is 0 get one
            above the highest that this supplier ever signed for the module, or that of the same version.
        bundle: the maker's published metadata.
        root: the maker's root, from a source that is trusted.
        by: account name of the author; somebody else approves it.
        at: now, microseconds since 1970 in UTC.
        remove: paths to withdraw.
        reason: why; it is signed and public.

    Raises:
        NotFound: the maker delegates to no supplier of this name.
        Refused: the bundle does not verify, a path is not the supplier's, or a counter falls.
        Conflict: a path was given to something else before.
    """
    role = supplier_role(supplier)
    with TemporaryDirectory() as folder:
        state = _verified(Path(folder), bundle, root, supplier, at)
    drafts = Drafting(parse_slug(by), reason, at, Periods()).targets(
        state, role, _counted(state, role, entries), remove
    )
    check_targets(state, role, drafts[role].signed)
    return Proposal.of(str(parse_slug(name)), drafts, {role: welcome(role, state, drafts)})


def _verified(folder: Path, bundle: bytes, root: bytes, supplier: str, at: int) -> State:
    """What the maker published, as far as it concerns a supplier, and nothing that does not verify."""
    verified = Trust(folder, root).bundled(bundle, at)
    role = supplier_role(supplier)
    targets: Metadata[Targets] = Metadata.from_bytes((folder / file_name(TARGETS)).read_bytes())
    known = suppliers_of(targets.signed)
    if role not in known:
        raise NotFound(
            f"the maker delegates to no supplier {supplier}",
            code="updates.supplier_unknown",
            remedy=f"known: {', '.join(known) or 'none'}; let the maker add it and give you its new metadata",
        )
    assert targets.signed.delegations is not None
    assert targets.signed.delegations.roles is not None
    for pattern in targets.signed.delegations.roles[role].paths or ():
        # Asking for any path of the supplier's verifies what it signed before; the folder then has it.
        with suppress(NotFound):
            verified.entry(pattern.replace("*", "none"))
    kept = {name: (folder / file_name(name)).read_bytes() for name in (ROOT, TIMESTAMP, SNAPSHOT)}
    return State(
        Metadata[Root].from_bytes(kept[ROOT]),
        Metadata[Timestamp].from_bytes(kept[TIMESTAMP]),
        Metadata[Snapshot].from_bytes(kept[SNAPSHOT]),
        {TARGETS: targets, role: Metadata[Targets].from_bytes((folder / file_name(role)).read_bytes())},
    )


def _counted(state: State, role: str, entries: Sequence[Entry]) -> list[Entry]:
    counters: dict[str, dict[str, int]] = {}
    if role in state.targets:
        for target in ever(state.targets[role].signed).values():
            custom = entry_of(target).custom
            versions = counters.setdefault(custom.module, {})
            versions[custom.version] = max(versions.get(custom.version, 0), custom.counter)
    out = []
    for entry in entries:
        custom = entry.custom
        if custom.counter == 0:
            known = counters.get(custom.module, {})
            counter = known.get(custom.version, max(known.values(), default=0) + 1)
            custom = msgspec.structs.replace(custom, counter=counter)
        out.append(msgspec.structs.replace(entry, custom=custom))
    return out

"""A release on its way to cars: proposed, signed by several, published, withdrawn.

The order of steps makes a crash harmless: who approves is noted, the signed metadata is published, and only
then may cars be given the release, with the fact of it in the same transaction. ``complete`` ends what was
interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from driveaway.book.state.state import Change
from driveaway.facts import Draft
from driveaway.facts.updates import ReleasedModule, ReleasePublished, ReleaseWithdrawn
from driveaway.launch.persons import check_person
from driveaway.launch.updates import composing, holding
from driveaway.launch.updates.opening import Updates
from driveaway.updates import releases, sets, software, types
from driveaway.updates.actions import steering
from driveaway.updates.model import ActionStatus, DistributionSet
from driveaway.updates.releases import Record, Stage
from driveaway.updates.resolving.possible import check_possible
from driveaway.updates.resolving.universe import read_universe
from driveaway.updates.rollouts import keeping
from driveaway.updates.rollouts.plan import RolloutStatus
from driveaway.values.errors import Conflict, NotFound, Refused

if TYPE_CHECKING:
    from driveaway.updates.signing.keys import Secret
    from driveaway.updates.signing.proposals import Proposal, Standing

_SOURCE: Final = "urn:driveaway:updates/release/"
_LONGEST_NOTES: Final = 4000
_SUPPLIERS: Final = "suppliers/"


@dataclass(frozen=True)
class Withdrawn:
    """What a withdrawal came to.

    Attributes:
        cancelled: actions that no car had begun, which are cancelled.
        begun: actions that cars are at, which go on.
        proposal: what persons must sign so that cars refuse the release too, wherever they get it from.
    """

    cancelled: Sequence[int]
    begun: int
    proposal: str


def propose(updates: Updates, slug: str, *, by: str, at: int, reason: str = "") -> Proposal:
    """Propose that a release be signed; from now on it does not change.

    Args:
        updates: where.
        slug: of the release; the proposal is called so too.
        by: account name of the author, who can neither approve it nor be its only signer.
        at: now.
        reason: why; it is signed and public.

    Raises:
        NotFound: no such release, no repository, or a content is not in the store.
        Refused: it is not complete, needs what no car could have, is published already, or a release counter
            would fall.
        Conflict: it is proposed already.
    """
    check_person(updates, by, "publish")
    found = releases.find(updates.state, slug)
    record = releases.record_of(found)
    if record.stage in (Stage.PUBLISHED, Stage.WITHDRAWN):
        raise _wrong_stage(found, record, "released anew", "make a new version")
    lacks = types.missing(updates.state, found.type, sets.modules_of(updates.state, found.id))
    if lacks:
        raise Refused(f"{slug} is not complete: {lacks}", code="set.incomplete", remedy="add the module")
    universe = read_universe(updates.state, found.id)
    check_possible(updates.state, universe, universe.releases[found.id])
    repository = updates.repository()
    entries = composing.entries_of(updates, repository, found)
    proposal = repository.propose(slug, entries, by=by, at=at, reason=reason or f"release {slug}")
    record = msgspec.structs.replace(record, proposal=slug, proposed_by=by, targets=_targets(updates, found))
    with updates.state.change() as change:
        sets.lock(change, found.id, at)
        releases.write_record(change, found.id, record, at)
    return proposal


def drop(updates: Updates, name: str, *, at: int) -> None:
    """Forget a proposal that was not published; its release may be proposed again as it is.

    Raises:
        NotFound: there is no such proposal.
    """
    updates.repository().drop(name)
    found = _proposed_as(updates, name)
    if found is not None:
        record = msgspec.structs.replace(
            releases.record_of(found), proposal="", proposed_by="", approved_by="", targets={}
        )
        with updates.state.change() as change:
            releases.write_record(change, found.id, record, at)


def sign(
    updates: Updates, name: str, key: str, *, secret: Secret | None = None, files: bool = False
) -> list[Standing]:
    """Add the signatures of one key to a proposal; how far its signing has come.

    Args:
        updates: where.
        name: of the proposal: a release's slug, or another's name.
        key: name in the ring.
        secret: asks for a PIN or passphrase.
        files: forces the use of a private key in a file; a demonstration needs no force.

    Raises:
        NotFound: no such proposal or key.
        Refused: the key signs nothing of it, or lies in a file.
        Unavailable: the key cannot be reached.
    """
    repository = updates.repository()
    repository.proposal(name)
    signer = updates.keys.signer(key, secret, files=files or updates.is_trial)
    repository.sign(name, signer)
    return repository.standing(name)


def publish(
    updates: Updates, name: str, *, by: str, at: int, secret: Secret | None = None, files: bool = False
) -> DistributionSet | None:
    """Publish a proposal whose signatures are complete; the release that cars may be given now, if it is one.

    Runs where the online keys are: in the worker, or on the machine of a small setup. What was published
    before a crash is completed.

    Args:
        updates: where.
        name: of the proposal.
        by: account name of who approves; not the author.
        at: now.
        secret: asks for PINs or passphrases of the online keys.
        files: forces the use of online keys in files.

    Raises:
        NotFound: there is no such proposal.
        Refused: signatures are missing, it has only one person's eyes, or the online keys are not here.
        Conflict: something else was published since it was proposed.
    """
    check_person(updates, by, "approve")
    found = _proposed_as(updates, name)
    if found is not None and releases.record_of(found).stage is Stage.WITHDRAWN:
        raise _wrong_stage(found, releases.record_of(found), "published", "make a new version")
    repository = updates.repository(holding.online_signers(updates, secret=secret, files=files))
    staged = any(proposal.name == name for proposal in repository.proposals())
    if found is not None and staged:
        _check_unchanged(updates, found)
        record = msgspec.structs.replace(releases.record_of(found), approved_by=by)
        with updates.state.change() as change:
            releases.write_record(change, found.id, record, at)
    if staged or found is None:
        repository.publish(name, by=by, at=at)
    composing.lay_out(updates, repository)
    if found is None:
        return None
    if not complete(updates, at, found):
        raise NotFound(
            f"{name} is neither proposed nor signed",
            code="updates.proposal_unknown",
            remedy="propose it again",
        )
    return releases.find(updates.state, name)


def complete(updates: Updates, at: int, found: DistributionSet) -> bool:
    """Let cars be given a release whose signed metadata is published; False: it is not.

    The fact is appended in the same transaction, and once.
    """
    repository = updates.repository()
    signed, counters = composing.signed_targets(repository), composing.signed_counters(repository)
    with updates.state.change() as change:
        now = sets.find_set(change, found.id)
        record = releases.record_of(now)
        if record.published is not None:
            return True
        if not record.targets or any(signed.get(path) != sha256 for path, sha256 in record.targets.items()):
            return False
        releases.write_record(change, now.id, msgspec.structs.replace(record, published=at), at)
        _keep_counters(change, now, counters, at)
        change.append([_published(change, now, record, at)])
    return True


def _keep_counters(change: Change, found: DistributionSet, signed: Mapping[str, int], at: int) -> None:
    """Keep with each module the counter that signing gave it: what is newer goes by it, as in the car."""
    for module in sets.modules_of(change, found.id):
        said = releases.about(change, module.id)
        files = software.artifacts(change, module.id)
        if said.counter is None and files:
            folder = releases.folder_of(found, module.name, said.supplier)
            counter = signed[f"{folder}/{files[0].filename}"]
            releases.set_about(change, module.id, msgspec.structs.replace(said, counter=counter), at)


def complete_all(updates: Updates, at: int) -> list[str]:
    """Complete every publication that was interrupted; slugs of the releases."""
    waiting = [
        found
        for found in releases.all_releases(updates.state)
        if releases.record_of(found).stage is Stage.PROPOSED and releases.record_of(found).approved_by
    ]
    return [releases.slug_of(found) for found in waiting if complete(updates, at, found)]


def withdraw(updates: Updates, slug: str, reason: str, *, by: str, at: int) -> Withdrawn:
    """Offer a release to no further car, at once, and propose that it be signed no longer.

    Its rollouts pause, and cannot be resumed. Actions that no car has begun are cancelled; cars that install
    it finish, and what runs goes on running.

    Raises:
        NotFound: there is no such release.
        Refused: it was not published, is withdrawn already, or ``by`` may not publish.
    """
    check_person(updates, by, "publish")
    found = releases.find(updates.state, slug)
    with updates.state.change() as change:
        record = releases.record_of(sets.find_set(change, found.id))
        if record.stage is not Stage.PUBLISHED:
            raise _wrong_stage(found, record, "withdrawn", "drop what is only proposed")
        record = msgspec.structs.replace(record, withdrawn=at, withdrawn_by=by, reason=reason)
        releases.write_record(change, found.id, record, at)
        active = sets.invalidate(change, found.id, at)
        unbegun = _unbegun(change, found.id)
        for action in unbegun:
            steering.cancel(change, action, at, by=by)
        for rollout in keeping.all_rollouts(change, RolloutStatus.RUNNING):
            if rollout.distribution_set == found.id:
                keeping.pause(change, rollout, at, reason=f"{slug} was withdrawn: {reason}", by=by)
        body = ReleaseWithdrawn(reason=reason, withdrawn_by=by or None)
        change.append([Draft("release.withdrawn", slug, at, body, f"{_SOURCE}{slug}/withdrawn")])
    proposal = f"withdraw-{slug}"
    own = sorted(path for path in record.targets if not path.startswith(_SUPPLIERS))
    updates.repository().propose(proposal, by=by, at=at, remove=own, reason=reason)
    return Withdrawn(unbegun, len(set(active) - set(unbegun)), proposal)


def _unbegun(change: Change, distribution_set: int) -> list[int]:
    """Actions of which no car has said anything yet."""
    rows = change.rows(
        "SELECT id FROM actions WHERE distribution_set = :set AND heard IS NULL AND status <> :canceling"
        " AND (active = 1 OR status = :scheduled) ORDER BY id",
        set=distribution_set,
        canceling=ActionStatus.CANCELING.value,
        scheduled=ActionStatus.SCHEDULED.value,
    )
    return [action for (action,) in rows]


def _published(change: Change, found: DistributionSet, record: Record, at: int) -> Draft:
    body = ReleasePublished(
        name=found.name,
        version=found.version,
        modules=tuple(
            ReleasedModule(
                name=module.name,
                version=module.version,
                type=module.type,
                sha256s=tuple(file.sha256 for file in software.artifacts(change, module.id)),
            )
            for module in sets.modules_of(change, found.id)
        ),
        functions=record.functions,
        notes=record.notes[:_LONGEST_NOTES] or None,
        published_by=record.proposed_by or None,
        approved_by=record.approved_by or None,
    )
    slug = releases.slug_of(found)
    return Draft("release.published", slug, at, body, f"{_SOURCE}{slug}/published")


def _proposed_as(updates: Updates, name: str) -> DistributionSet | None:
    """The release that a proposal is about; None: it is about something else."""
    for found in releases.all_releases(updates.state):
        if releases.record_of(found).proposal == name:
            return found
    return None


def _targets(updates: Updates, found: DistributionSet) -> dict[str, str]:
    """SHA-256 of every file of a release by its path, suppliers' among them."""
    return {path: file.sha256 for path, (_, file) in composing.files_of(updates, found).items()}


def _check_unchanged(updates: Updates, found: DistributionSet) -> None:
    """Refuse a release whose files are not those that were proposed."""
    if _targets(updates, found) != releases.record_of(found).targets:
        raise Conflict(
            f"{releases.slug_of(found)} is not what was proposed any more",
            code="release.changed",
            remedy="drop the proposal, and propose it again",
        )


def _wrong_stage(found: DistributionSet, record: Record, what: str, remedy: str) -> Refused:
    return Refused(
        f"{releases.slug_of(found)} is {record.stage}, and cannot be {what}",
        code="release.stage",
        remedy=remedy,
    )

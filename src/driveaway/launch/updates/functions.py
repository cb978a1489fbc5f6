"""Functions as the book has them: which are open, by which gate, and opening and closing them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from driveaway.book.view import View
from driveaway.book.when import When
from driveaway.book.writer import Outcome
from driveaway.facts import Draft, Fact
from driveaway.facts.updates import FunctionClosed, FunctionOpened
from driveaway.launch.functions import (
    APPLIED,
    KINDS,
    check_gate,
    folder_places,
    function_drafts,
    function_name,
    function_slug,
    read_gates,
)
from driveaway.launch.launch import FAR_FUTURE, Launch
from driveaway.launch.persons import check_person
from driveaway.updates.gates.expression import NEVER, Gate, decode
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused


@dataclass(frozen=True)
class FunctionState:
    """One function in a cut.

    Attributes:
        slug: by which facts name it.
        open: False after it was closed: no further car may activate it, sessions go on.
        gate: as last opened; ``NEVER`` where it was closed without ever being opened.
        since: when its last fact happened, microseconds since 1970 UTC.
        seq: of that fact.
        release: that brings it, where the fact names one.
        reason: why it was closed, or its gate was changed.
        by: who did it; None: not said.
        from_file: whether functions.toml says so.
        simulated: whether it was made up.
    """

    slug: str
    open: bool
    gate: Gate
    since: int
    seq: int
    release: str | None
    reason: str | None
    by: str | None
    from_file: bool
    simulated: bool

    @property
    def name(self) -> str:
        """As functions.toml and cars name it."""
        return function_name(self.slug)


def functions_at(view: View) -> dict[str, FunctionState]:
    """Every function of a cut by its slug, sorted."""
    facts = sorted((f for kind in KINDS for f in view.facts(kind)), key=lambda f: (f.happened, f.seq))
    found: dict[str, FunctionState] = {}
    for fact in facts:
        found[fact.subject] = _after(found.get(fact.subject), fact)
    return dict(sorted(found.items()))


def _after(before: FunctionState | None, fact: Fact) -> FunctionState:
    body = fact.body
    gate = NEVER if before is None else before.gate
    release = None if before is None else before.release
    by = None
    if isinstance(body, FunctionOpened):
        gate, release, by = decode(body.gate), body.release, body.opened_by
    elif isinstance(body, FunctionClosed):
        by = body.closed_by
    return FunctionState(
        slug=fact.subject,
        open=isinstance(body, FunctionOpened),
        gate=gate,
        since=fact.happened,
        seq=fact.seq,
        release=release,
        reason=getattr(body, "reason", None),
        by=by,
        from_file=fact.source.startswith(APPLIED),
        simulated=fact.simulated,
    )


def function_named(view: View, name: str) -> FunctionState:
    """One function of a cut, by its name or slug.

    Raises:
        NotFound: it had not been opened by then.
    """
    found = functions_at(view)
    state = found.get(name.replace("_", "-"))
    if state is None:
        known = ", ".join(each.name for each in found.values())
        raise NotFound(
            f"no function {name!r} had been opened by this date",
            code="function.unknown",
            remedy=f"one of {known}" if known else "driveaway functions open, or a later --as-of",
        )
    return state


def unapplied(launch: Launch) -> str | None:
    """What ``driveaway apply`` would do about functions.toml, in words; None: nothing."""
    view = _view(launch, FAR_FUTURE)
    held = [fact for kind in KINDS for fact in view.facts(kind)]
    at = now()
    try:
        drafts = function_drafts(launch.folder, launch.description, launch.zone, held, at=at, begins=at)
    except BadValue as error:
        return f"functions.toml cannot be applied: {error}"
    if not drafts:
        return None
    names = ", ".join(function_name(draft.subject) for draft in drafts)
    return f"functions.toml says of {names} what the book does not hold; driveaway apply takes it in"


def open_function(
    launch: Launch,
    name: str,
    gate: Gate | None = None,
    *,
    reason: str | None = None,
    release: str | None = None,
    by: str | None = None,
    at: int | None = None,
) -> Outcome:
    """Open a function, change its gate, or open it again.

    Args:
        launch: whose function it is.
        name: of the function.
        gate: None: the one that it had, else that of functions.toml.
        reason: why; needed where the gate of an open function changes.
        release: that brings it; None: as before.
        by: who opens it.
        at: when it holds, microseconds since 1970 UTC; default: now.

    Raises:
        BadValue: the gate speaks of what there is not, or there is none.
        Conflict: it is open with this gate already.
        Refused: the gate changes without a reason, or ``by`` may not publish.
    """
    check_person(launch, by, "publish")
    slug, happened = function_slug(name), now() if at is None else at
    before = functions_at(_view(launch, happened)).get(slug)
    chosen = gate if gate is not None else _gate_of(launch, slug, before)
    text = check_gate(chosen, launch.description, folder_places(launch.folder))
    if before is not None and before.open:
        if before.gate == chosen and release in (None, before.release):
            raise Conflict(
                f"{before.name} is open with this gate already", code="function.same", remedy="nothing to do"
            )
        if before.gate != chosen and not reason:
            raise Refused(
                f"the gate of {before.name} would change",
                code="function.reason",
                remedy="--reason says why",
                field="reason",
            )
    if release is None and before is not None:
        release = before.release
    body = FunctionOpened(gate=text, release=release, reason=reason, opened_by=by)
    (outcome,) = launch.append([Draft("function.opened", slug, happened, body)])
    return outcome


def close_function(
    launch: Launch, name: str, reason: str, *, by: str | None = None, at: int | None = None
) -> Outcome:
    """Close a function: no further car may activate it; sessions that are active go on.

    Raises:
        NotFound: it had not been opened.
        Refused: it is closed already, or ``by`` may not operate.
        BadValue: no reason is given.
    """
    check_person(launch, by, "operate")
    if not reason.strip():
        raise BadValue("closing needs a reason", code="function.reason", remedy="--reason says why")
    happened = now() if at is None else at
    before = function_named(_view(launch, happened), name)
    if not before.open:
        raise Refused(f"{before.name} is closed already", code="function.closed", remedy="nothing to do")
    body = FunctionClosed(reason=reason, closed_by=by)
    (outcome,) = launch.append([Draft("function.closed", before.slug, happened, body)])
    return outcome


def _view(launch: Launch, at: int) -> View:
    return launch.book.at(When(at, launch.book.edge().size))


def _gate_of(launch: Launch, slug: str, before: FunctionState | None) -> Gate:
    if before is not None and before.gate != NEVER:
        return before.gate
    written = read_gates(Path(launch.folder), launch.description, launch.zone).get(slug)
    if written is None:
        raise BadValue(
            f"{function_name(slug)} has no gate",
            code="function.gate",
            remedy='--gate gives one, such as "trim in [Max]"; functions.toml may hold it, too',
        )
    return written

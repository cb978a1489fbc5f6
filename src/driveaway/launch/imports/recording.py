"""Recording what rows ask for: in batches, what cannot stand yet held back until the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from driveaway.launch.imports.held import Held, by_time
from driveaway.launch.imports.problems import Problem, Problems
from driveaway.launch.imports.rows import Proposal, Proposals
from driveaway.values.clock import show
from driveaway.values.errors import DriveawayError, NotFound, Refused

if TYPE_CHECKING:
    from driveaway.book.writer import Outcome
    from driveaway.facts import Draft
    from driveaway.launch.launch import Launch

# No later row can make these right.
_FINAL: Final = frozenset(
    {
        "order.trim", "order.colour", "order.currency", "order.edition",
        "order.reserved_twice", "order.requeue", "order.change_closed",
        "car.built_twice", "buyer.described_twice", "import.erasure", "peg.purpose",
    }
)  # fmt: skip
_READ, _ADDED, _REJECTED, _PASSED = 1, 2, 4, 8
_AHEAD: Final = 2
_FIRST: Final = 5_000


class Recorder:
    """Appends proposals, and keeps the count of rows.

    Attributes:
        facts: facts added.
        seen: rows read so far.
        last: the last row's line.
    """

    def __init__(
        self,
        launch: Launch,
        problems: Problems,
        folder: Path,
        batch: int,
        *,
        sort: bool,
        in_order: bool = False,
    ) -> None:
        """``sort``: put everything in order of valid time first; ``in_order``: it is so already."""
        self._launch, self._problems, self._batch = launch, problems, batch
        # The first batches are small, so that deciding begins as soon as something was read.
        self._next = min(_FIRST, batch)
        self._rows = bytearray(1024)
        self._waiting: list[Proposal] = []
        self._held = Held(folder)
        self._sort = sort
        self._in_order = self._file_in_order = in_order
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="append")
        self._under_way: deque[tuple[Sequence[Proposal], bool, Future[list[Outcome]]]] = deque()
        self._folder = folder
        self._failed: BaseException | None = None
        self.facts = 0
        self.seen = 0
        self.last = 0

    def take(self, proposals: Proposals) -> None:
        """Record what some rows ask for."""
        self._flag(proposals.lines, _READ)
        self._flag(proposals.passed_over, _PASSED)
        self.seen += len(proposals.lines)
        self.last = max(self.last, max(proposals.lines, default=0))
        for problem in proposals.problems:
            self._reject(problem)
        self._in_order = proposals.in_order or self._file_in_order
        if self._sort and not self._in_order:
            for fact in proposals.facts:
                self._held.add(fact)
            return
        self._waiting += proposals.facts
        while len(self._waiting) >= self._next:
            self._record(self._waiting[: self._next])
            del self._waiting[: self._next]
            self._next = min(2 * self._next, self._batch)

    def finish(self) -> None:
        """Record the rest, then try what was held back again, as long as that helps."""
        self._record(self._waiting)
        self._waiting = []
        self._settle()
        while len(self._held):
            held, self._held = self._held, Held(self._folder)
            before = self.facts
            try:
                for batch in _in_batches(held, self._batch):
                    self._record(batch)
                self._settle()
            finally:
                held.close()
            if self.facts == before:
                break
        held, self._held = self._held, Held(self._folder)
        try:
            for batch in _in_batches(held, self._batch):
                self._record(batch, final=True)
            self._settle()
        finally:
            held.close()

    def close(self) -> None:
        """Let go of files and of the worker."""
        self._worker.shutdown(wait=True)
        self._held.close()

    def totals(self) -> tuple[int, int, int, int]:
        """(accepted, repeated, rejected, passed over) rows."""
        rows = self._rows
        rejected = added = passed = read = 0
        for flags in range(16):
            count = rows.count(flags)
            if not flags & _READ:
                continue
            read += count
            if flags & _REJECTED:
                rejected += count
            elif flags & _PASSED:
                passed += count
            elif flags & _ADDED:
                added += count
        return added, read - rejected - added - passed, rejected, passed

    def _flag(self, lines: Sequence[int], flag: int) -> None:
        last = max(lines, default=0)
        if last >= len(self._rows):
            self._rows.extend(bytes(max(last - len(self._rows) + 1, len(self._rows))))
        rows = self._rows
        for line in lines:
            rows[line] |= flag

    def _reject(self, problem: Problem) -> None:
        self._flag([problem.line], _READ | _REJECTED)
        self._problems.add(problem)

    def _record(self, proposals: Sequence[Proposal], *, final: bool = False) -> None:
        """Append; a correction ends a batch, since what it corrects must be in the book before it."""
        ready: list[Proposal] = []
        for proposal in proposals if self._in_order else sorted(proposals, key=by_time):
            draft = proposal.draft
            if proposal.corrects:
                self._append(ready, final)
                self._settle()
                ready = []
                try:
                    replaces = self._replaced(proposal)
                except DriveawayError as error:
                    self._refused(proposal, error, final)
                    continue
                corrected = msgspec.structs.replace(draft, replaces=replaces)
                proposal = msgspec.structs.replace(proposal, draft=corrected)
            elif draft.kind == "subject.erased" and self._holds_person(draft.subject):
                erasure = Refused(
                    "an imported erasure does not shred what this book holds of this person",
                    code="import.erasure",
                    remedy=f"driveaway erase {draft.subject}",
                )  # fmt: skip
                self._refused(proposal, erasure, final)
                continue
            ready.append(proposal)
        self._append(ready, final)

    def _append(self, proposals: Sequence[Proposal], final: bool) -> None:
        """Append beside the reading of what comes next, one batch waiting behind the one under way."""
        self._settle(_AHEAD - 1)
        if proposals:
            drafts = [proposal.draft for proposal in proposals]
            self._under_way.append((proposals, final, self._worker.submit(self._appended, drafts)))
            if self._launch.gives_way:
                # Nothing is unpacked beside: who appends holds the book's lock, and others wait for it.
                self._settle()

    def _appended(self, drafts: Sequence[Draft]) -> list[Outcome]:
        # What follows a batch that could not be recorded must not get into the book before it.
        if self._failed is not None:
            raise self._failed
        try:
            return self._launch.append(drafts, atomic=False, patient=True, checked=True)
        except BaseException as error:
            self._failed = error
            raise

    def _settle(self, left: int = 0) -> None:
        """Wait until no more than ``left`` batches are under way, and count what became of the others.

        Raises:
            Unavailable: one could not be recorded.
        """
        while len(self._under_way) > left:
            proposals, final, outcomes = self._under_way.popleft()
            added: list[int] = []
            for proposal, outcome in zip(proposals, outcomes.result(), strict=True):
                if outcome.added:
                    added.append(proposal.line)
                elif outcome.error is not None:
                    self._refused(proposal, outcome.error, final)
            self.facts += len(added)
            self._flag(added, _ADDED)

    def _refused(self, proposal: Proposal, error: DriveawayError, final: bool) -> None:
        if not final and isinstance(error, Refused | NotFound) and error.code not in _FINAL:
            self._held.add(proposal)
            return
        draft = proposal.draft
        message = f"{draft.kind}: {error.message}"
        if proposal.label != draft.subject:
            message = message.replace(draft.subject, proposal.label)
        field, value = _meant(proposal, error)
        told = type(error)(message, code=error.code, remedy=error.remedy)
        self._reject(Problem.of(proposal.line, proposal.origin.get(field, field), value, told))

    def _replaced(self, proposal: Proposal) -> int:
        for fact in self._launch.book.about(proposal.draft.subject):
            if fact.source == proposal.corrects:
                return fact.seq
        raise NotFound(
            f"the fact that it corrects, {proposal.corrects!r}, is not in the book", code="fact.missing",
            remedy="import that one first",
        )  # fmt: skip

    def _holds_person(self, subject: str) -> bool:
        self._settle()
        return any(
            not fact.erased and any(getattr(fact.body, name) is not None for name in fact.body.personal)
            for fact in self._launch.book.about(subject)
        )


def _meant(proposal: Proposal, error: DriveawayError) -> tuple[str, Any]:
    """The field that a refusal speaks of, and what stands there; the subject where it names none."""
    draft, field = proposal.draft, error.field
    if error.code == "source.conflict":
        return "source", draft.source
    if error.code == "fact.missing":
        return "replaces", proposal.corrects
    if field == "happened":
        return field, show(draft.happened)
    if field and hasattr(draft.body, field):
        return field, getattr(draft.body, field)
    return "subject", proposal.label


def _in_batches(proposals: Iterable[Proposal], size: int) -> Iterable[list[Proposal]]:
    batch: list[Proposal] = []
    for proposal in proposals:
        batch.append(proposal)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch

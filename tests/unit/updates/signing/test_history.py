"""Whatever persons, workers and crashes do, in any order: cars go on, and never backwards."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from driveaway.updates.signing import folder as files
from driveaway.updates.signing.repository import Repository
from driveaway.updates.signing.verifying import Trust
from driveaway.values.clock import DAY
from driveaway.values.errors import Conflict, Refused
from tests.conformance.tuf import maker
from tests.conformance.tuf.maker import AT, SIGNERS, custom, entry
from tests.unit.updates.signing.test_crashes import EVERY, Killed, limited

ONLINE = ("snapshot", "timestamp", "snapshot2", "timestamp2")
TEAMS = {"a": ("dana", "eli", "fay"), "b": ("gus", "hu", "ida")}


class History(RuleBasedStateMachine):
    """Two teams take turns as signers of targets; releases, renewals and rotations overlap; writes fail."""

    @initialize()
    def found(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.at = AT
        maker.founded(self.folder / "repository")
        self.repository = Repository(self.folder / "repository", EVERY)
        root = (self.repository.metadata / "1.root.json").read_bytes()
        self.trust = Trust(self.folder / "car", root)
        self.root = root
        self.counter = 0
        self.names = 0
        self.seen: dict[str, int] = {}

    def propose(self, team: str | None, online: str) -> str:
        """A release, or other keys."""
        self.names += 1
        name = f"p{self.names}"
        if team is None:
            self.counter += 1
            new = entry(f"su7/{self.counter}/os.swu", b"os", custom("os", self.counter))
            self.repository.propose(name, [new], by="jan", at=self.at)
        else:
            given = maker.roles(
                targets=maker.rule(2, *TEAMS[team]),
                snapshot=f"snapshot{online}",
                timestamp=f"timestamp{online}",
            )
            self.repository.rotate(name, given, by="jan", at=self.at)
        return name

    def expected(self, error: Refused, *codes: str) -> None:
        event(error.code)
        if error.code not in codes:
            raise error

    @rule(days=st.integers(0, 20))
    def time_passes(self, days: int) -> None:
        self.at += days * DAY // 10

    @rule(
        team=st.none() | st.sampled_from(sorted(TEAMS)),
        online=st.sampled_from(["", "2"]),
        absent=st.sampled_from([(), ("ann",), ("dana", "eli"), ("gus", "hu"), ("ann", "cem")]),
        writes=st.integers(0, 24),
        waiting=st.booleans(),
    )
    def something_is_published(
        self, team: str | None, online: str, absent: tuple[str, ...], writes: int, waiting: bool
    ) -> None:
        staged = [proposal.name for proposal in self.repository.proposals()]
        name = staged[0] if waiting and staged else self.propose(team, online)
        for person in {"ann", "ben", "cem", *TEAMS["a"], *TEAMS["b"]} - set(absent):
            try:
                self.repository.sign(name, SIGNERS[person])
            except Refused as error:
                self.expected(error, "updates.signer", "updates.signature")
        what = " and ".join(self.repository.proposal(name).documents)
        write, files.write_whole = files.write_whole, limited(writes, files.write_whole)
        try:
            self.repository.publish(name, by="ann", at=self.at)
            event(f"published {what}")
        except Killed:
            event(f"killed while publishing {what}")
        except Conflict:
            event("overtaken")
            self.repository.drop(name)
        except Refused as error:
            self.expected(error, "updates.unsigned", "updates.stranded", "updates.counter")
        finally:
            files.write_whole = write

    @rule()
    def the_worker_comes_by(self) -> None:
        self.repository.resign(self.at)
        assert self.repository.resign(self.at) == ()

    @invariant()
    def versions_never_fall(self) -> None:
        state = self.repository.state()
        now = {role: signed.version for role, signed in state.signed()}
        assert all(now[role] >= version for role, version in self.seen.items())
        self.seen = now

    @invariant()
    def cars_go_on_once_the_worker_was_there(self) -> None:
        """The worker alone repairs what needs no person: no more than that, and no less."""
        copy = self.folder / "copy"
        shutil.copytree(self.repository.metadata.parent, copy)
        mended = Repository(copy, EVERY)
        mended.resign(self.at)
        for known in (self.trust, Trust(Path(tempfile.mkdtemp(dir=self.folder)), self.root)):
            verified = known.bundled(mended.bundle(), self.at)
            for path in mended.state().targets["targets"].signed.targets:
                assert verified.entry(path).path == path
        # What was verified in the copy is what is served next: the car has seen these versions.
        shutil.rmtree(self.repository.metadata.parent)
        copy.rename(self.repository.metadata.parent)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


History.TestCase.settings = settings(max_examples=settings.default.max_examples // 12, stateful_step_count=10)
TestHistory = History.TestCase

"""A crash between any two files leaves what was served before, or what is served next."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from driveaway.updates.signing import folder as files
from driveaway.updates.signing.repository import Repository
from driveaway.updates.signing.verifying import Trust
from driveaway.values.clock import DAY
from driveaway.values.errors import NotFound, Refused
from tests.conformance.tuf import maker
from tests.conformance.tuf.maker import AT, SIGNERS, agree, custom, entry, rule

EVERY = maker.signers("snapshot", "timestamp", "snapshot2", "timestamp2")


class Killed(BaseException):
    """No handler of ours expects it, as nothing handles SIGKILL."""


def prepared(folder: Path) -> Repository:
    """A repository with each kind of change signed and waiting."""
    maker.with_suppliers(maker.founded(folder))
    repository = Repository(folder, EVERY)
    repository.propose("first", [entry("su7/1/os.swu", b"first", custom("os", 1))], by="dana", at=AT)
    agree(repository, "first", AT, "dana", "eli")
    return repository


def release(repository: Repository) -> None:
    repository.propose("change", [entry("su7/2/os.swu", b"second", custom("os", 2))], by="dana", at=AT)
    for name in ("dana", "eli"):
        repository.sign("change", SIGNERS[name])


def new_keys(repository: Repository, *more: str) -> None:
    """Other keys for everything; with ``more`` of the old ones, cars find it valid by both roots."""
    given = maker.roles(targets=rule(2, "gus", "hu"), snapshot="snapshot2", timestamp="timestamp2")
    repository.rotate("change", given, by="ann", at=AT)
    for name in ("ann", "ben", "gus", "hu", *more):
        repository.sign("change", SIGNERS[name])


def supplier(repository: Repository) -> None:
    repository.delegate("change", maker.Supplier("lidar", rule(1, "ida", "hu")), by="dana", at=AT)
    for name in ("dana", "eli", "ida"):
        repository.sign("change", SIGNERS[name])


def publish(repository: Repository) -> None:
    repository.publish("change", by="ben", at=AT)


CHANGES: dict[str, tuple[Callable[[Repository], None], Callable[[Repository], None]]] = {
    "release": (release, publish),
    "new-keys": (lambda repository: new_keys(repository, "dana", "eli"), publish),
    "supplier": (supplier, publish),
    "resigning": (lambda repository: None, lambda repository: repository.resign(AT + 5 * DAY) and None),
}


def limited(writes: int, write: Callable[[Path, bytes], None]) -> Callable[[Path, bytes], None]:
    left = writes

    def one(path: Path, content: bytes) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        write(path, content)

    return one


@pytest.mark.parametrize("change", CHANGES)
def test_after_any_file(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cars that know the state before and cars that know nothing yet both find one whole state; the worker
    who comes back completes it."""
    prepare, act = CHANGES[change]
    at = AT + 5 * DAY if change == "resigning" else AT
    before = prepared(tmp_path / "before")
    if at != AT:
        before.resign(AT + DAY)
    prepare(before)
    root = (before.metadata / "1.root.json").read_bytes()
    Trust(tmp_path / "car", root).bundled(before.bundle(), AT)
    writes, done = 0, False
    while not done:
        folder = tmp_path / str(writes)
        shutil.copytree(tmp_path / "before", folder)
        repository = Repository(folder, EVERY)
        with monkeypatch.context() as patch:
            patch.setattr(files, "write_whole", limited(writes, files.write_whole))
            try:
                act(repository)
                done = True
            except Killed:
                pass
        for known in (tmp_path / "car", tmp_path / "nothing"):
            mine = tmp_path / f"{known.name}-{writes}"
            if known.exists():
                shutil.copytree(known, mine, symlinks=True)
            # A crashed re-signing leaves the old timestamp, which holds for its time.
            verified = Trust(mine, root).bundled(repository.bundle(), at if done else AT)
            assert verified.entry("su7/1/os.swu").length == 5
        if not done:
            again = Repository(folder, EVERY)
            again.resign(at)
            assert bool(again.proposals()) is (writes == 0 and change != "resigning")
            if again.proposals():
                act(again)
        assert Trust(tmp_path / f"car-{writes}", root).bundled(repository.bundle(), at)
        for copy in ("root", "snapshot", "targets"):
            served = (repository.metadata / f"{copy}.json").read_bytes()
            newest = max(
                (repository.metadata).glob(f"*.{copy}.json"), key=lambda path: int(path.name.split(".")[0])
            )
            assert served == newest.read_bytes()
        writes += 1
    assert writes > 3


def test_lost_keys_are_replaced_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the old keys of targets no car finds the new state valid by the old root: the root comes first.

    In between cars refuse it and keep what they have; the worker completes it.
    """
    repository = prepared(tmp_path / "repository")
    root = (repository.metadata / "1.root.json").read_bytes()
    trust = Trust(tmp_path / "car", root)
    trust.bundled(repository.bundle(), AT)
    new_keys(repository)
    with monkeypatch.context() as patch:
        patch.setattr(files, "write_whole", limited(6, files.write_whole))
        with pytest.raises(Killed):
            publish(repository)
    with pytest.raises(Refused, match=r"updates\.signature"):
        Trust(tmp_path / "another", root).bundled(repository.bundle(), AT)
    repository.resign(AT)
    assert trust.bundled(repository.bundle(), AT).entry("su7/1/os.swu").length == 5


def test_founding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Repository(tmp_path / "begun", EVERY)
    begun.begin("change", maker.roles(), by="ann", at=AT)
    for name in ("ann", "ben", "dana", "eli"):
        begun.sign("change", SIGNERS[name])
    for writes in range(8):
        repository = Repository(shutil.copytree(tmp_path / "begun", tmp_path / str(writes)), EVERY)
        with monkeypatch.context() as patch:
            patch.setattr(files, "write_whole", limited(writes, files.write_whole))
            with pytest.raises(Killed):
                publish(repository)
        with pytest.raises(NotFound):
            repository.state()
        publish(repository)
        assert repository.state().version("root") == 1


def test_killed_by_the_system(tmp_path: Path) -> None:
    """SIGKILL inside a process of its own, before each renaming."""
    repository = prepared(tmp_path / "repository")
    release(repository)
    program = Path(__file__).with_name("killed.py")
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("snapshot", "timestamp"):
        signer = SIGNERS[name]
        assert isinstance(signer, maker.CryptoSigner)
        (keys / name).write_bytes(signer.private_bytes)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, program, tmp_path], env=environment, check=True, timeout=120)
    root = (repository.metadata / "1.root.json").read_bytes()
    killed = sorted(tmp_path.glob("killed-*"))
    assert len(killed) == 6
    for folder in killed:
        again = Repository(folder, EVERY)
        verified = Trust(folder / "car", root).bundled(again.bundle(), AT)
        assert verified.entry("su7/1/os.swu").length == 5
        again.resign(AT)
        if again.proposals():
            publish(again)
        assert Trust(folder / "car", root).bundled(again.bundle(), AT).entry("su7/2/os.swu").length == 6

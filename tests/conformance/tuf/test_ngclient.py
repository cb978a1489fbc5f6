"""python-tuf's own client, as it comes, against a repository over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tuf.api.exceptions import BadVersionNumberError, ExpiredMetadataError
from tuf.ngclient import Updater, UpdaterConfig

from driveaway.updates.signing.entries import entry_of
from driveaway.updates.signing.repository import Repository
from driveaway.values.clock import DAY, instant
from tests.conformance.tuf import maker
from tests.conformance.tuf.scene import Mirror, served


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> int:
    """The client asks the machine's clock, and the environment for proxies."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    at = int(instant(datetime.now(UTC)))
    monkeypatch.setattr(maker, "AT", at)
    return at


def serve(repository: Repository, mirror: Mirror) -> None:
    mirror.files = {path.name: path.read_bytes() for path in repository.metadata.iterdir()}
    for document in repository.state().targets.values():
        for target in document.signed.targets.values():
            mirror.payloads[entry_of(target).served] = maker.payload(target.path)


def client(
    repository: Repository, mirror: Mirror, folder: Path, config: UpdaterConfig | None = None
) -> Updater:
    downloads = folder / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    root = (repository.metadata / "1.root.json").read_bytes()
    return Updater(
        str(folder / "metadata"), f"{mirror.url}/metadata", str(downloads), f"{mirror.url}/targets",
        config=config, bootstrap=root,
    )  # fmt: skip


def test_it_follows_releases_rotations_and_suppliers(now: int, tmp_path: Path) -> None:
    (tmp_path / "car" / "metadata").mkdir(parents=True)
    repository = maker.founded(tmp_path / "repository")
    maker.with_suppliers(repository, now)
    worker = Repository(
        tmp_path / "repository", maker.signers("snapshot", "timestamp", "snapshot2", "timestamp2")
    )
    with served(Mirror()) as mirror:
        for version in (1, 2):
            paths = maker.release(worker, version, now)
            serve(worker, mirror)
            updater = client(worker, mirror, tmp_path / "car")
            for path in paths:
                info = updater.get_targetinfo(path)
                assert info is not None
                assert Path(updater.download_target(info)).read_bytes() == maker.payload(path)
            changed = maker.roles(
                root=maker.rule(2, "ann", "ben", ("fay", "gus")[version - 1]),
                snapshot="snapshot2",
                timestamp="timestamp2",
            )
            worker.rotate("root", changed, by="ann", at=now)
            maker.agree(worker, "root", now, "ann", "ben")
        worker.resign(now + DAY)
        serve(worker, mirror)
        again = client(worker, mirror, tmp_path / "car")
        again.refresh()
        assert again.get_targetinfo("su7/3/os.swu") is None
        assert again.get_targetinfo("suppliers/radar/a.bin") is None


def test_it_refuses_what_is_old(now: int, tmp_path: Path) -> None:
    (tmp_path / "car" / "metadata").mkdir(parents=True)
    repository = maker.founded(tmp_path / "repository")
    with served(Mirror()) as mirror:
        serve(repository, mirror)
        old = dict(mirror.files)
        maker.with_suppliers(repository, now)
        serve(repository, mirror)
        client(repository, mirror, tmp_path / "car").refresh()
        mirror.files = old
        with pytest.raises(BadVersionNumberError):
            client(repository, mirror, tmp_path / "car").refresh()


def test_it_refuses_what_has_expired(now: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "car" / "metadata").mkdir(parents=True)
    monkeypatch.setattr(maker, "AT", now - 3 * DAY)
    repository = maker.founded(tmp_path / "repository")
    with served(Mirror()) as mirror:
        serve(repository, mirror)
        with pytest.raises(ExpiredMetadataError):
            client(repository, mirror, tmp_path / "car").refresh()
        assert repository.resign(now) == ("timestamp",)
        serve(repository, mirror)
        client(repository, mirror, tmp_path / "car").refresh()


def test_it_reads_the_names_without_versions_too(now: int, tmp_path: Path) -> None:
    """As clients do that know no consistent snapshots: each such file is the newest of its role."""
    repository = maker.founded(tmp_path / "repository")
    maker.with_suppliers(repository, now)
    state = repository.state()
    for role, signed in state.signed():
        if role != "timestamp":
            plain = (repository.metadata / f"{role}.json").read_bytes()
            assert plain == (repository.metadata / f"{signed.version}.{role}.json").read_bytes()

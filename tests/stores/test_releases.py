"""A release on both stores: its record, the fact in the same transaction, its withdrawal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driveaway.book.state.state import Change
from driveaway.launch.launch import Launch
from driveaway.launch.updates import adding, holding, releasing
from driveaway.launch.updates.holding import RoleKeys
from driveaway.launch.updates.opening import DEMO_MARKER, open_updates
from driveaway.launch.updates.resigning import resign_due
from driveaway.launch.updates.telling import told_release, told_releases, told_software, told_status
from driveaway.updates import assigning, registry, releases
from driveaway.updates.assigning import Terms
from driveaway.updates.releases import record_of, slug_of
from driveaway.values.errors import Refused
from tests.stores.garage import START, VINS, empty


@pytest.fixture
def updates(launch: Launch, tmp_path: Path) -> Iterator[Any]:
    """A launch with a founded repository."""
    empty(launch.state)
    (launch.folder / DEMO_MARKER).touch()
    made = open_updates(launch)
    for name in ("anna", "ben"):
        holding.new_key(made, name, name)
    holding.new_key(made, "online", "")
    pair = RoleKeys(("anna", "ben"), 2)
    holding.init(made, pair, pair, ["online"], ["online"], by="anna", at=START)
    signed(made, "founding")
    return made


def signed(updates: Any, name: str) -> None:
    for person in ("anna", "ben"):
        releasing.sign(updates, name, person)
    releasing.publish(updates, name, by="ben", at=START)


def test_published_and_withdrawn(
    updates: Any, launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "os.swu"
    file.write_text("an image")
    module = adding.add_software(updates, "os", "1", [file], START, hardware=["hpc"], vendor="Example")
    slug = slug_of(adding.create_release(updates, "su7", "1", [module], START, notes="first"))
    releasing.propose(updates, slug, by="anna", at=START)
    assert told_release(updates, slug)["awaits"][0]["missing"] == 2
    assert [each["proposal"] for each in told_status(updates, START)["proposals"]] == [slug]
    # Who may sign is known by name where none of the keys is: what is signed says it.
    ring = updates.keys_folder.rename(tmp_path / "elsewhere")
    assert told_release(open_updates(launch), slug)["awaits"][0]["may_sign"] == ["anna", "ben"]
    ring.rename(updates.keys_folder)

    # What the book refuses leaves the release unpublished, whatever the signed metadata says by then.
    def refuse(*_: object) -> None:
        raise Refused("not now", code="book.refused")

    with monkeypatch.context() as patched:
        patched.setattr(Change, "append", refuse)
        with pytest.raises(Refused, match=r"book\.refused"):
            signed(updates, slug)
    assert record_of(releases.find(updates.state, slug)).published is None
    assert launch.book.about(slug) == []
    resign_due(updates, START)
    assert [fact.kind for fact in launch.book.about(slug)] == ["release.published"]
    (row,) = told_releases(updates)
    assert (row["stage"], row["modules"]) == ("published", "os 1")
    assert told_software(updates)[0]["hardware"] == "hpc"

    with launch.state.change() as change:
        registry.create(change, VINS[0], START)
        found = releases.find(change, slug)
        made = assigning.assign(change, found.id, VINS[:1], Terms(), START)
    done = releasing.withdraw(updates, slug, "it lists", by="anna", at=START)
    assert (list(done.cancelled), done.begun) == (list(made.actions.values()), 0)
    assert [fact.kind for fact in launch.book.about(slug)] == ["release.published", "release.withdrawn"]
    with launch.state.change() as change, pytest.raises(Refused, match=r"set\.invalid"):
        assigning.assign(change, found.id, VINS[:1], Terms(), START, anew=True)

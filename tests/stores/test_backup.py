"""A backup is worth what its restore is: to each store from each, and from damaged files."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from driveaway.book.backup import backup, read_manifest, restore
from driveaway.book.book import open_store
from driveaway.book.store import Store
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.errors import BadValue, DriveawayError, Refused, Tampered
from tests.postgres import PostgresServer
from tests.stores import acts
from tests.stores.acts import Place


@pytest.fixture
def lived(launch: Launch) -> Launch:
    """A launch in which everything happened that a backup must keep."""
    for number in range(3):
        launch.append(acts.delivered(number, number))
    launch.append(
        [acts.reserved(7, buyer="b-7"), acts.described(7, 1, sex="female"), acts.reserved(8, buyer="b-8")]
    )
    launch.append(
        [acts.withdrawn(acts.order(0), 7), acts.reserved(8, source="urn:fix", replaces=24, trim="Pro")]
    )
    launch.erase(acts.order(7), "asked")
    launch.at(acts.at(9)).figure("orders.reserved")
    folder = launch.folder
    (folder / "claims.csv").write_text("id\n")
    (folder / "notes").mkdir()
    (folder / "notes" / "读我.txt").write_text("notes")
    (folder / "driveaway.toml").write_text('book_url = "postgresql://u:secret@h/d"\n')
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    return launch


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest) -> Any:
    """Where to restore into: None (the folder's own SQLite), or an empty database's URL."""
    if request.param == "sqlite":
        yield None
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create_database()
    yield url
    server.drop_database(url)


def _content(store: Store) -> list[Any]:
    return [(*row[:8], bool(row[8]), *row[9:]) for row in store.rows(0, 9999, 9999)]


def test_restored_verbatim(lived: Launch, target: str | None, tmp_path: Path) -> None:
    file = tmp_path / "kept.zip"
    manifest = backup(lived.book, lived.folder, file)
    assert manifest.size == lived.book.edge().size
    assert read_manifest(file) == manifest
    folder = tmp_path / "again"
    restore(file, folder, target)
    with open_launch(folder, book_url=target) as again:
        assert _content(again.book.store) == _content(lived.book.store)
        assert again.book.edge() == lived.book.edge()
        verdict = again.book.verify()
        assert (verdict.differences, verdict.root.hex(), verdict.heads) == (
            [],
            manifest.root,
            lived.book.verify().heads,
        )
        assert again.book.about("buyer:b-8") == lived.book.about("buyer:b-8")
        assert again.book.about("buyer:b-7") == []
        for figure in ("orders.reserved", "cars.delivered"):
            assert again.at(acts.at(99)).figure(figure).value == lived.at(acts.at(99)).figure(figure).value
        again.append([acts.reserved(99)])
        assert again.book.verify().differences == []
    kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if "data" not in path.parts}
    assert {"launch.toml", "claims.csv", "notes", "notes/读我.txt"} <= kept
    assert not any(name.startswith((".", "driveaway.toml")) for name in kept)


def test_a_backup_while_others_write(lived: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = lived.book.store.copy_to

    def copy_then_write(path: str) -> None:
        original(path)
        lived.append([acts.reserved(500)])
        lived.book.log_head(force=True)

    monkeypatch.setattr(lived.book.store, "copy_to", copy_then_write)
    manifest = backup(lived.book, lived.folder, tmp_path / "kept.zip")
    assert manifest.size == lived.book.edge().size - 1
    restore(tmp_path / "kept.zip", tmp_path / "again")


def test_an_empty_book(launch: Launch, target: str | None, tmp_path: Path) -> None:
    backup(launch.book, launch.folder, tmp_path / "kept.zip")
    restore(tmp_path / "kept.zip", tmp_path / "again", target)
    with open_launch(tmp_path / "again", book_url=target) as again:
        assert again.book.edge().size == 0
        again.append([acts.reserved(1)])


def test_into_what_is_not_empty(lived: Launch, place: Place, tmp_path: Path) -> None:
    file = tmp_path / "kept.zip"
    backup(lived.book, lived.folder, file)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thing").touch()
    for folder in (tmp_path / "used", lived.folder, file):
        with pytest.raises(Refused) as refused:
            restore(file, folder)
        assert refused.value.code == "restore.not_empty"
    with pytest.raises(Refused) as refused:
        restore(file, tmp_path / "new", place.url)
    assert refused.value.code == "restore.book_not_empty"
    assert not (tmp_path / "new").exists()
    assert lived.book.verify().differences == []


def _changed(file: Path, change: Any) -> Path:
    """A copy of a backup with its members changed: name → bytes, None to leave it out."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members = change(members)
    out = file.with_name("changed.zip")
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out


def _manifest_with(members: dict[str, bytes], change: Any) -> dict[str, bytes]:
    manifest = json.loads(members["manifest.json"])
    change(manifest)
    return {**members, "manifest.json": json.dumps(manifest).encode()}


def _renamed(manifest: dict[str, Any], name: str) -> None:
    manifest["members"][-1]["name"] = name


def _with_member(members: dict[str, bytes], name: str, content: bytes = b"x") -> dict[str, bytes]:
    """A forger's backup: a member more, or another one, with its true digest in the manifest."""
    entry = {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def change(manifest: dict[str, Any]) -> None:
        manifest["members"] = [*(one for one in manifest["members"] if one["name"] != name), entry]

    return _manifest_with({**members, name: content}, change)


_DAMAGE: dict[str, Any] = {
    "a file changed": lambda m: {**m, "launch/claims.csv": b"other"},
    "a file longer": lambda m: {**m, "heads.jsonl": m["heads.jsonl"] + bytes(1 << 22)},
    "a file gone": lambda m: {name: text for name, text in m.items() if name != "book.sqlite"},
    "no manifest": lambda m: {name: text for name, text in m.items() if name != "manifest.json"},
    "a manifest of something else": lambda m: {**m, "manifest.json": b"[]"},
    "a manifest without the book": lambda m: _manifest_with(m, lambda n: n.update(members=[])),
    "a newer layout": lambda m: _manifest_with(m, lambda n: n.update(layout=9)),
    "a path upwards": lambda m: _manifest_with(
        {**m, "launch/../../evil": m["launch/notes/读我.txt"]}, lambda n: _renamed(n, "launch/../../evil")
    ),
    "an absolute path": lambda m: _manifest_with(
        {**m, "/tmp/evil": m["launch/notes/读我.txt"]}, lambda n: _renamed(n, "/tmp/evil")
    ),
    "a path with a drive": lambda m: _manifest_with(
        {**m, "launch/c:evil": m["launch/notes/读我.txt"]}, lambda n: _renamed(n, "launch/c:evil")
    ),
    "a second book below the folder": lambda m: _with_member(m, "launch/data/book.sqlite"),
    "a setting": lambda m: _with_member(m, "launch/driveaway.toml"),
    "a setting in capitals": lambda m: _with_member(m, "launch/Driveaway.TOML"),
    "a hidden file": lambda m: _with_member(m, "launch/.restoring-1"),
    "a hidden folder": lambda m: _with_member(m, "launch/.restoring/book.sqlite"),
    "a file below a file": lambda m: _with_member(m, "launch/claims.csv/x"),
    "no launch.toml": lambda m: _manifest_with(
        m, lambda n: n.update(members=[one for one in n["members"] if one["name"] != "launch/launch.toml"])
    ),
    "a book of another make": lambda m: _with_member(m, "book.sqlite", b"no database " * 500),
    "a path into the data": lambda m: _manifest_with(
        {**m, "data/evil": m["launch/notes/读我.txt"]}, lambda n: _renamed(n, "data/evil")
    ),
}


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_damaged_files(lived: Launch, tmp_path: Path, subtests: pytest.Subtests) -> None:
    file = tmp_path / "kept.zip"
    backup(lived.book, lived.folder, file)
    for name, change in _DAMAGE.items():
        with subtests.test(name):
            with pytest.raises(BadValue) as bad:
                restore(_changed(file, change), tmp_path / "above" / "again")
            assert bad.value.code in ("backup.damaged", "backup.layout")
            assert bad.value.remedy
            assert not (tmp_path / "above").exists()
    assert not (tmp_path / "evil").exists()
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_cut_short_and_flipped_bytes(lived: Launch, tmp_path: Path) -> None:
    file = tmp_path / "kept.zip"
    backup(lived.book, lived.folder, file)
    content = file.read_bytes()
    broken = tmp_path / "broken.zip"
    for at in range(0, len(content), max(1, len(content) // 25)):
        for damaged in (content[:at], content[:at] + bytes([content[at] ^ 0x5A]) + content[at + 1 :]):
            broken.write_bytes(damaged)
            folder = tmp_path / "again"
            try:
                restore(broken, folder)
            except DriveawayError as error:
                assert error.code.startswith(("backup.", "restore.", "file."))  # noqa: PT017
                assert not folder.exists()
            else:
                # A byte that says nothing, such as a time of the archive.
                assert (folder / "data" / "book.sqlite").exists()
                folder.rename(tmp_path / f"whole-{at}")


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_book_that_was_changed_is_not_restored(place: Place, lived: Launch, tmp_path: Path) -> None:
    place.tamper('UPDATE fact SET body = \'{"amount":1,"currency":"CNY"}\' WHERE seq = 2')
    backup(lived.book, lived.folder, tmp_path / "kept.zip")
    with pytest.raises(Tampered) as tampered:
        restore(tmp_path / "kept.zip", tmp_path / "again")
    assert "fact 2 " in tampered.value.message
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_not_a_backup(lived: Launch, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("hello", b"hello")
    for name in ("text", "other.zip", "missing"):
        with pytest.raises(BadValue):
            restore(tmp_path / name, tmp_path / "again")


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_an_older_backup_is_replaced_whole(lived: Launch, tmp_path: Path) -> None:
    file = tmp_path / "kept.zip"
    file.write_text("older")
    backup(lived.book, lived.folder, file)
    assert zipfile.is_zipfile(file)
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name or "backup" in path.name] == []


def test_a_copy_is_a_book(lived: Launch, tmp_path: Path) -> None:
    path = tmp_path / "copy.sqlite"
    lived.book.store.copy_to(str(path))
    copied = open_store(f"sqlite:///{path}")
    assert _content(copied) == _content(lived.book.store)
    assert copied.edge() == lived.book.edge()
    copied.close()
    assert {p.name for p in tmp_path.iterdir() if p.name.startswith("copy")} == {"copy.sqlite"}

"""The mirror is a cache: whatever happens to its files, the answers stay those of the book."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from driveaway.launch.doctor import examine
from driveaway.launch.founding import found
from driveaway.launch.launch import Launch, open_launch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A launch folder with a mirror that has caught up."""
    with found(tmp_path / "launch", "su7") as launch:
        launch.apply()
        _answer(launch)
    return tmp_path / "launch"


def _answer(launch: Launch) -> Any:
    cut = launch.at("2025-12-31")
    return [fact.subject for kind in ("claim.made", "event.held") for fact in cut.facts(kind)]


def _segment(folder: Path) -> Path:
    return next((folder / "data" / "mirror").glob("claim.made-*.parquet"))


def _state(folder: Path) -> str:
    return next(f.found for f in examine(str(folder)) if f.what == "mirror")


def _asked(folder: Path) -> Any:
    with open_launch(folder) as launch:
        return _answer(launch)


@pytest.mark.parametrize("length", [0, 4, 100])
def test_a_shortened_file(folder: Path, length: int) -> None:
    before = _asked(folder)
    assert before
    os.truncate(_segment(folder), length)
    assert "bytes" in _state(folder)
    assert _asked(folder) == before
    assert "0 facts behind" in _state(folder)


@pytest.mark.parametrize("place", [0, 60, -6])
def test_flipped_bytes(folder: Path, place: int) -> None:
    before = _asked(folder)
    path = _segment(folder)
    content = bytearray(path.read_bytes())
    for at in range(place, place + 4):
        content[at] ^= 0xFF
    path.write_bytes(bytes(content))
    assert _asked(folder) == before


def test_a_file_damaged_while_it_is_open(folder: Path) -> None:
    before = _asked(folder)
    with open_launch(folder) as launch:
        assert _answer(launch) == before
        path = _segment(folder)
        path.write_bytes(b"x" * path.stat().st_size)
        assert _answer(launch) == before
        path.unlink(missing_ok=True)
        assert _answer(launch) == before


def test_a_manifest_that_does_not_add_up(folder: Path) -> None:
    before = _asked(folder)
    path = folder / "data" / "mirror" / "manifest.json"
    manifest = msgspec.json.decode(path.read_bytes())
    del manifest["segments"]["claim.made"]
    path.write_bytes(msgspec.json.encode(manifest))
    assert "counts" in _state(folder)
    assert _asked(folder) == before


def test_a_folder_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _asked(folder)
    from driveaway.book import mirror, sqlite

    whole = mirror.os.open

    def refuse(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).startswith(str(folder)) and rest and rest[0] & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return whole(path, *rest, **more)

    monkeypatch.setattr(mirror.os, "open", refuse)
    monkeypatch.setattr(sqlite.os, "access", lambda path, mode: False)
    assert _asked(folder) == before
    with open_launch(folder) as launch:
        assert launch.book.verify().differences == []
    shutil.rmtree(folder / "data" / "mirror")
    assert _asked(folder) == before
    assert not list((folder / "data" / "mirror").glob("*"))

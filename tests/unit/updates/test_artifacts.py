"""The artifact store: whole contents or none, each once, under plain names."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.artifacts import ArtifactStore, check_filename
from driveaway.values.errors import BadValue, NotFound, Refused, Unavailable

CONTENT = b"some software" * 1000


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def files(store: ArtifactStore) -> list[str]:
    return sorted(file.name for file in store.folder.rglob("*") if file.is_file())


def test_a_content_in_and_out(store: ArtifactStore) -> None:
    stored = store.put([CONTENT[:100], CONTENT[100:]])
    assert stored.size == len(CONTENT)
    assert stored.sha1 == hashlib.sha1(CONTENT).hexdigest()
    assert stored.md5 == hashlib.md5(CONTENT).hexdigest()
    assert stored.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert store.existing(stored.sha256).read_bytes() == CONTENT
    assert store.put([CONTENT]) == stored
    assert files(store) == [stored.sha256]
    store.check(stored.sha256)
    store.path(stored.sha256).write_bytes(bytes(len(CONTENT)))
    with pytest.raises(Refused, match="damaged"):
        store.check(stored.sha256)
    # Uploading it again mends it.
    store.put([CONTENT])
    store.check(stored.sha256)


def test_nothing_comes_in_empty_handed(store: ArtifactStore) -> None:
    stored = store.put([])
    assert (stored.size, store.existing(stored.sha256).read_bytes()) == (0, b"")


def test_given_hashes_are_compared(store: ArtifactStore) -> None:
    good = {name: hashlib.new(name, CONTENT).hexdigest() for name in ("sha1", "md5", "sha256")}
    assert store.put([CONTENT], **{name: text.upper() for name, text in good.items()}).sha1 == good["sha1"]
    for name in good:
        with pytest.raises(BadValue) as bad:
            store.put([b"other"], **{name: good[name]})
        assert bad.value.code == f"artifact.{name}"
    with store.upload() as upload:
        upload.write(CONTENT[:-1])
        with pytest.raises(BadValue) as bad:
            upload.finish(size=len(CONTENT))
    assert bad.value.code == "artifact.size"
    assert files(store) == [good["sha256"]]


def test_too_much_is_refused_before_it_is_all_there(store: ArtifactStore) -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 1000

    with pytest.raises(Refused) as refused:
        store.put(endless(), limit=10_000)  # type: ignore[arg-type]
    assert refused.value.code == "quota.artifact"
    assert taken == 11
    assert files(store) == []


def test_what_breaks_off_leaves_nothing(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> object:
        yield CONTENT
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put(broken())  # type: ignore[arg-type]
    assert files(store) == []

    def full(handle: int) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left"):
        store.put([CONTENT])
    assert files(store) == []


def test_the_sweep_takes_what_nobody_uses(store: ArtifactStore) -> None:
    used, unused, fresh = (store.put([content]).sha256 for content in (b"used", b"unused", b"fresh"))
    for sha256 in (used, unused):
        os.utime(store.path(sha256), (1, 1))
    store.incoming.mkdir(exist_ok=True)
    broken = store.incoming / "broken"
    broken.write_bytes(b"half")
    os.utime(broken, (1, 1))
    assert store.sweep(lambda: {used}) == [unused]
    assert files(store) == sorted([used, fresh])
    with pytest.raises(NotFound):
        store.existing(unused)


def test_a_content_that_is_sent_again_meanwhile_is_not_swept(store: ArtifactStore) -> None:
    sha256 = store.put([CONTENT]).sha256
    os.utime(store.path(sha256), (1, 1))

    def known() -> set[str]:
        store.put([CONTENT])
        return set()

    assert store.sweep(known) == []
    assert store.existing(sha256)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "...",
        "../a",
        "a/b",
        "a\\b",
        "C:a",
        "/etc/passwd",
        "a\x00b",
        "a\nb",
        "a\x7f",
        " a",
        "a ",
        "\u202etxt.swu",
        "e\u0301.swu",
        "x" * 256,
        "文" * 86,
        "a.swu.MD5SUM",
        "a.md5sum",
        "\ud800",
    ],
)
def test_tricks_in_names_are_refused(name: str) -> None:
    with pytest.raises(BadValue) as bad:
        check_filename(name)
    assert bad.value.code == "artifact.filename"


@given(st.text(max_size=300))
def test_a_name_that_passes_is_nothing_but_a_name(name: str) -> None:
    try:
        check_filename(name)
    except BadValue:
        return
    assert os.path.basename(name) == name
    assert (Path("/store") / name).parent == Path("/store")
    assert os.path.normpath(f"/store/{name}") == f"/store/{name}"


@pytest.mark.parametrize("name", ["a.swu", "Bundle 1.0 (final).raucb", "软件.swu", ".hidden", "a..b"])
def test_plain_names(name: str) -> None:
    assert check_filename(name) == name


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "A" * 64, "g" * 64, "a" * 63])
def test_places_are_named_by_hashes_alone(store: ArtifactStore, text: str) -> None:
    with pytest.raises(BadValue):
        store.path(text)

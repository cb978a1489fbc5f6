"""Files of a TUF repository, and what is not of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.ddi.server import Server

DIGEST = "ab" * 32


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tuf")
    files = {
        "metadata/timestamp.json": b'{"t":1}',
        "metadata/1.root.json": b'{"r":1}',
        "metadata/12.snapshot.json": b'{"s":12}',
        "metadata/snapshot.json": b'{"s":12}',
        "metadata/.hidden.json": b"hidden",
        f"targets/{DIGEST}.app.bin": b"0123456789",
        f"targets/os/{DIGEST}.os.swu": b"abcdefghij",
        "targets/app.bin": b"0123456789",
        "private/key.json": b"secret",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "targets/link").symlink_to(folder / "private/key.json")
    (folder / "targets/way").symlink_to(folder / "private")
    with Server(folder, f"door=DoorOptions(tuf=Path({str(folder)!r}))") as running:
        yield running


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("metadata/timestamp.json", False),
        ("metadata/snapshot.json", False),
        ("metadata/1.root.json", True),
        ("metadata/12.snapshot.json", True),
        (f"targets/{DIGEST}.app.bin", True),
        (f"targets/os/{DIGEST}.os.swu", True),
        ("targets/app.bin", False),
    ],
)
def test_files_and_how_long_they_are_kept(serving: Server, name: str, kept: bool) -> None:
    answer = serving.ask("GET", f"/DEFAULT/tuf/{name}")
    assert (answer.status, answer.body) == (200, (serving.folder / name).read_bytes())
    assert ("immutable" in answer.headers["cache-control"]) is kept
    assert ("no-cache" in answer.headers["cache-control"]) is not kept
    again = serving.ask("GET", f"/DEFAULT/tuf/{name}", {"If-None-Match": answer.headers["etag"]})
    assert again.status == 304
    part = serving.ask("GET", f"/DEFAULT/tuf/{name}", {"Range": "bytes=1-2"})
    assert (part.status, part.body) == (206, answer.body[1:3])


def test_a_file_that_is_replaced_has_another_tag(serving: Server) -> None:
    at = "/DEFAULT/tuf/metadata/timestamp.json"
    first = serving.ask("GET", at)
    new = serving.folder / "new"
    new.write_bytes(b'{"t":2}')
    new.replace(serving.folder / "metadata/timestamp.json")
    answer = serving.ask("GET", at, {"If-None-Match": first.headers["etag"]})
    assert (answer.status, answer.body) == (200, b'{"t":2}')


@pytest.mark.parametrize(
    "name",
    [
        "metadata/2.root.json",
        "metadata/.hidden.json",
        "metadata/",
        "metadata",
        "",
        "private/key.json",
        "targets/link",
        "targets/way/key.json",
        "targets/os",
        "targets/../private/key.json",
        "targets/%2e%2e/private/key.json",
        "targets/..%2fprivate%2fkey.json",
        "targets/os%2f..%2f..%2fprivate%2fkey.json",
        "targets//app.bin",
        "targets/app.bin%00",
        "metadata/../metadata/1.root.json",
        "targets/" + "a" * 300,
    ],
)
def test_what_is_not_of_the_repository(serving: Server, name: str) -> None:
    answer = serving.ask("GET", f"/DEFAULT/tuf/{name}")
    assert answer.status in (400, 404)
    assert b"secret" not in answer.body


def test_files_are_only_read(serving: Server) -> None:
    assert serving.ask("PUT", "/DEFAULT/tuf/metadata/timestamp.json", body=b"x").status == 405


def test_no_repository_where_none_is_given(server: Server) -> None:
    assert server.ask("GET", "/DEFAULT/tuf/metadata/timestamp.json").status == 404


def test_asking_for_a_root_that_is_not_yet_there_is_no_trouble(serving: Server) -> None:
    for name in ("2.root.json", "7.targets.json"):
        assert serving.ask("GET", f"/DEFAULT/tuf/metadata/{name}").status == 404
    assert "7.targets.json" in serving.log()
    assert "2.root.json" not in serving.log()

"""Exit codes, streams, colours and errors of the command line."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from driveaway import catalogue
from driveaway.book import writer
from driveaway.values.errors import (
    BadValue,
    Conflict,
    DriveawayError,
    NotFound,
    Refused,
    Tampered,
    Unavailable,
)
from tests.e2e.shell import Shell, program

ESCAPE = "\x1b["


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused, 1),
        (Conflict, 1),
        (Tampered, 1),
        (BadValue, 2),
        (NotFound, 2),
        (Unavailable, 3),
        (DriveawayError, 70),
    ],
)
def test_an_error_has_an_exit_code(
    error: type[DriveawayError], code: int, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> Any:
        raise error(f"no {name!r}", code="a.code", place="a place", remedy="a remedy")

    monkeypatch.setattr(catalogue, "figure_named", fail)
    said = shell("figure", "orders.locked")
    assert said.code == code
    assert said.out == ""
    # The place, the value, the remedy and the code.
    assert said.err == "error: a place: no 'orders.locked' — a remedy [a.code]\n"


def test_a_defect_is_ours(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("just so")

    monkeypatch.setattr(catalogue, "figure_named", fail)
    said = shell("figure", "orders.locked")
    assert said.code == 70
    assert said.out == ""
    assert "ZeroDivisionError: just so" in said.err
    assert said.err.endswith("[defect]\n")


def test_what_the_world_refuses_is_unavailable(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device", "book.sqlite")

    monkeypatch.setattr(writer, "append", full)
    said = shell("orders", "reserve", "--trim", "Max")
    assert said.code == 3
    assert said.err == "error: book.sqlite: No space left on device [io]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["figure"],
        ["figure", "orders.locked", "--format", "xml"],
        ["figure", "orders.locked", "--mark", "x"],
        ["orders"],
        ["export"],
    ],
    ids=" ".join,
)
def test_bad_usage(arguments: list[str], shell: Shell) -> None:
    said = shell(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert "Usage: driveaway" in said.err


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("figure.unknown", ["orders.lokced"]),
        ("figure.dimension", ["orders.locked", "--by", "height"]),
        ("figure.argument", ["orders.locked", "height="]),
        ("figure.filter", ["orders.locked", "trim=max"]),
        ("argument.shape", ["orders.locked", "trim"]),
        ("argument.twice", ["orders.locked", "trim=Max", "trim=Pro"]),
        ("argument.choice", ["outlets.open", "role=shop"]),
        ("argument.type", ["publicity.locks_around_event", "days=three"]),
        ("argument.range", ["cars.delivered_since_launch_days", "days=0"]),
        ("argument.range", ["cars.delivered_since_launch_days", "days=99999999999999999999"]),
        ("province.unknown", ["orders.locked", "province=Atlantis"]),
        ("time.day", ["orders.locked", "--as-of", "2024-02-30"]),
        ("time.shape", ["orders.locked", "--as-of", "yesterday"]),
        ("time.day", ["orders.locked", "day=2024-02-30"]),
        ("time.week", ["orders.locked", "week=2024-17"]),
        ("mark.range", ["orders.locked", "--mark", "99999999999999999999"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_bad_input_says_what_to_do(code: str, arguments: list[str], shell: Shell) -> None:
    error = shell.refused(code, "figure", *arguments, exit_code=2)
    name, _, value = arguments[-1].partition("=")
    assert value in error if value and code != "argument.twice" else name in error


def test_a_near_name_is_suggested(shell: Shell) -> None:
    assert "did you mean orders.locked" in shell.refused(
        "figure.unknown", "figure", "orders.lokced", exit_code=2
    )


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("order_id.shape", ["orders", "lock", "17"]),
        ("order_id.check", ["orders", "lock", "O-0000000010"]),
        ("order.missing", ["order", "O-000000001Y"]),
        ("vin.shape", ["cars", "build", "X", "plant=one", "trim=Max"]),
        ("vin.check_digit", ["cars", "build", "LNBSC3AB0RB000001", "plant=one", "trim=Max"]),
        ("fact.field", ["cars", "build", "LNBSC3AB5RB000100", "height=3"]),
        ("fact.body", ["cars", "build", "LNBSC3AB5RB000100"]),
        ("kind.unknown", ["record", "car.painted", "x"]),
        ("record.kind", ["record", "subject.erased", "O-000000001Y", "reason=x"]),
        ("record.kind", ["record", "launch.described", "e2e", "text=x"]),
        ("record.kind", ["correct", "1", "text=x"]),
        ("record.kind", ["withdraw", "1", "--reason", "x"]),
        ("correct.nothing", ["correct", "2"]),
        ("fact.missing", ["correct", "99", "trim=Max"]),
        (
            "slug.shape",
            ["record", "outlet.opened", "Store One", "role=store", "province=110000", "city=Beijing"],
        ),
        ("province.unknown", ["orders", "reserve", "--province", "Atlantis"]),
        ("time.shape", ["orders", "reserve", "--at", "yesterday"]),
        ("money.shape", ["orders", "reserve", "--deposit", "a lot"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_recorded(code: str, arguments: list[str], shell: Shell) -> None:
    mark = shell.mark()
    shell.refused(code, *arguments, exit_code=2)
    assert shell.mark() == mark


def test_folders_and_settings(shell: Shell, tmp_path: Path) -> None:
    shell.refused("launch.missing", "figure", "orders.locked", "--launch", tmp_path / "nowhere", exit_code=2)
    shell.refused("case.missing", "new", tmp_path / "other", "--case", "nothing", exit_code=2)
    shell.refused("launch.exists", "new", shell.folder)
    (shell.folder / "driveaway.toml").write_text("colour = 'blue'\n", encoding="utf-8")
    error = shell.refused("settings.unknown", "figure", "orders.locked", exit_code=2)
    assert "driveaway.toml" in error
    assert "book_url" in error
    (shell.folder / "driveaway.toml").write_text("data = 'elsewhere'\n", encoding="utf-8")
    shell.done("apply")
    assert (shell.folder / "elsewhere" / "book.sqlite").exists()
    url = f"sqlite:///{tmp_path / 'mine.sqlite'}"
    shell.done("apply", "--book-url", url)
    assert (tmp_path / "mine.sqlite").exists()
    shell.refused("store.url", "apply", "--book-url", "mysql://x", exit_code=2)


def test_results_and_warnings_are_apart(shell: Shell) -> None:
    text = (shell.folder / "launch.toml").read_text(encoding="utf-8")
    (shell.folder / "launch.toml").write_text(text.replace("2024-04-30", "2024-04-29", 1), encoding="utf-8")
    said = shell("figure", "orders.locked", "--format", "json")
    assert said.json()["value"] is None
    assert said.err.startswith("warning: launch.toml differs")


def test_no_colour_where_there_is_no_terminal(shell: Shell) -> None:
    asked = ("figures",)
    piped = program(*asked, NO_COLOR="", FORCE_COLOR="")
    assert piped.code == 0
    assert ESCAPE not in piped.out + piped.err
    assert "\x1b[1m" in on_a_terminal(*asked)
    plain = on_a_terminal(*asked, NO_COLOR="1")
    assert "orders.locked" in plain
    assert not any(f"{ESCAPE}{code}" in plain for code in range(30, 50))


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What the program prints on a terminal."""
    surroundings = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm-256color"}
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "driveaway", *arguments],
        env=surroundings | environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        printed = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            printed += part
        running.wait(60)
    os.close(ours)
    return printed.decode("utf-8", "replace")


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m driveaway figures --format csv | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("name,unit")


def test_version_and_help() -> None:
    said = program("--version")
    assert said.code == 0
    assert said.out.startswith("driveaway ")
    said = program("--help")
    assert all(word in said.out for word in ("demo", "figure", "claims", "verify", "restore"))
    assert program().code == 2

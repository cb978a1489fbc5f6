"""A signed release on its way to a car, all at the command line; a fleet; functions in the car."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from driveaway.cli import main
from driveaway.launch.launch import open_launch
from driveaway.updates import releases
from driveaway.updates.assigning import Terms, assign
from driveaway.updates.car.memory import Identity, Memory
from driveaway.values.clock import now
from tests.e2e.shell import Shell, vin
from tests.server import Process

FORCE = "--force-file-keys"
PERSONS = ("anna", "ben", "dora", "emil")
FUNCTIONS = """
[[functions]]
name = "city_navigation"
hardware = { lidar = ">= 1" }
places = ["city:beijing"]
"""


def published(shell: Shell, folder: Path) -> str:
    """A release, made and signed by persons; its slug."""
    (shell.folder / "functions.toml").write_text(FUNCTIONS)
    for person in PERSONS:
        shell.done("release", "key", "new", person, "--holder", person, FORCE)
    shell.done("release", "key", "new", "online", FORCE)
    roles = ("--root", "anna,ben", "--targets", "dora,emil", "--snapshot", "online", "--timestamp", "online")
    shell.done("release", "init", *roles, "--by", "anna")
    for person in PERSONS:
        shell.done("release", "sign", "founding", "--key", person, FORCE)
    shell.done("release", "publish", "founding", "--by", "ben", FORCE)
    file = folder / "os.swu"
    file.write_bytes(b"an image" * 10_000)
    shell.done("release", "add", "os", "2024.5.1", file, "--hardware", "hpc", "--vendor", "Example")
    slug = shell.done(
        "release", "create", "su7", "2024.5.1", "--module", "os=2024.5.1", "--notes", "parking",
        "--function", "os=city_navigation", "--by", "dora",
    ).strip()  # fmt: skip
    shell.done("release", "propose", slug, "--by", "dora")
    for person in ("dora", "emil"):
        shell.done("release", "sign", slug, "--key", person, FORCE)
    shell.done("release", "publish", slug, "--by", "emil", FORCE)
    return slug


def alone(*words: object) -> int:
    """A command that knows no launch."""
    return main([str(word) for word in words])


def test_from_the_makers_keys_to_the_road(
    shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slug = published(shell, tmp_path)
    running = Process("serve", "device", "--port", 0, "--launch", shell.folder)
    try:
        url = running.place.partition("/DEFAULT")[0]
        car = tmp_path / "car"
        made = (
            "car", "new", car, "--server", url, "--id", vin(7), "--register", "--hardware", "hpc",
            "--attribute", "hardware.lidar=1",
        )  # fmt: skip
        shell.done(*made)
        assert (car / "trust" / "root.json").is_file()
        assert alone("car", "run", car, "--once") == 0
        assert "nothing to do" in capsys.readouterr().out
        with open_launch(shell.folder) as launch, launch.state.change() as change:
            assign(change, releases.find(change, slug).id, [vin(7)], Terms(), now())
        said = ""
        end = time.monotonic() + 20
        while "reported success" not in said:
            assert time.monotonic() < end
            assert alone("car", "run", car, "--once") == 0
            said += capsys.readouterr().out
        assert "installed su7 2024.5.1" in said

        assert alone("car", "show", car, "--format", "json") == 0
        told = json.loads(capsys.readouterr().out)
        assert [(row["version"], row["runs"], row["whole"]) for row in told["rows"]] == [
            ("2024.5.1", True, True),
            (None, False, None),
        ]
        assert "secret" not in json.dumps(told)
        assert Memory(car).identity().credential.split()[1] not in json.dumps(told)

        for place, available in (("116.4,39.9", True), ("121.5,31.2", False)):
            assert alone("car", "functions", car, "--at", place, "--format", "json") == 0
            (row,) = json.loads(capsys.readouterr().out)["rows"]
            assert (row["function"], row["available"]) == ("city_navigation", available)
            assert bool(row["reasons"]) != available
        assert alone("car", "functions", car, "--at", "nowhere") == 2
        capsys.readouterr()

        shell.done("verify")
        file = tmp_path / "facts.jsonl"
        kinds = ("--kind", "update.finished", "--kind", "version.reported")
        shell.done("export", "--format", "cloudevents", "--out", file, *kinds, "--as-of", "2100-01-01")
        facts = [json.loads(line) for line in file.read_text().splitlines()]
        assert [fact["subject"] for fact in facts] == [vin(7)] * 2
        assert (facts[0]["data"]["outcome"], facts[1]["data"]["agrees"]) == ("installed", True)
    finally:
        assert running.stop()[0] == 0


def test_what_makes_no_car(shell: Shell, tmp_path: Path) -> None:
    new = ("car", "new", tmp_path / "car", "--server", "http://127.0.0.1:1", "--id", vin(1))
    token = tmp_path / "token"
    token.write_text("short\n")
    shell.refused("car.token", *new, "--unsigned", exit_code=2)
    shell.refused("car.token", *new, "--register", "--token-file", token, "--unsigned", exit_code=2)
    shell.refused("target.token", *new, "--token-file", token, "--unsigned", exit_code=2)
    token.write_text("a" * 32 + "\n")
    shell.refused("car.root", *new, "--token-file", token, exit_code=2)
    shell.refused("car.root", *new, "--register", exit_code=2)
    shell.refused("target.controller_id", *new[:-1], "a car", "--any-id", "--register", exit_code=2)
    assert not (tmp_path / "car").exists()
    shell.done(*new, "--token-file", token, "--unsigned", "--attribute", "a-b=1", "--attribute", "a=2")
    assert Memory(tmp_path / "car").identity() == Identity(
        controller_id=vin(1), server="http://127.0.0.1:1", credential="TargetToken " + "a" * 32,
        attributes={"a-b": "1", "a": "2"}, signed=False,
    )  # fmt: skip
    shell.refused("car.exists", *new, "--token-file", token, "--unsigned")


def test_a_server_that_is_away(shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    car = tmp_path / "car"
    shell.done(
        "car", "new", car, "--server", "http://127.0.0.1:1", "--id", vin(1), "--register", "--unsigned"
    )
    assert alone("car", "run", car, "--once") == 3
    said = capsys.readouterr().err
    assert "warning" in said
    assert "[car.offline]" in said
    assert alone("car", "run", car, "--for", "0.05") == 0


def test_a_simulated_fleet_with_a_server_of_its_own(shell: Shell, tmp_path: Path) -> None:
    said = shell(
        "car", "simulate", "--cars", 50, "--minutes", 0.02, "--ramp", 0.1, "--poll", 0.3, "--format", "json",
        "--log", tmp_path / "log",
    )  # fmt: skip
    assert said.code == 0, said.err
    told = said.json()
    assert (told["simulated"], told["cars"], told["updates"]) == (True, 50, {})
    assert {row["asked"] for row in told["rows"]} == {"attributes", "poll"}
    assert told["statuses"] == {"200": told["requests"]}
    assert told["p50_ms"] <= told["p99_ms"]
    assert (tmp_path / "log").read_text() == ""


def test_a_car_has_a_vin_unless_another_id_is_meant(shell: Shell, tmp_path: Path) -> None:
    """Shape and check digit (ISO 3779, GB 16735) are looked at before anything is made."""
    new = (
        "car",
        "new",
        tmp_path / "car",
        "--server",
        "http://127.0.0.1:1",
        "--register",
        "--unsigned",
        "--id",
    )
    for given, code in (
        ("BADVIN", "vin.shape"),
        (vin(1)[:-1] + "O", "vin.shape"),
        (vin(1)[:8] + ("1" if vin(1)[8] != "1" else "2") + vin(1)[9:], "vin.check_digit"),
    ):
        assert "--id: " in shell.refused(code, *new, given, exit_code=2)
    assert not (tmp_path / "car").exists()
    assert "box-7" in shell.done(*new, "box-7", "--any-id")
    # What no market's rule asks of it is not asked: Europe has no check digit.
    europe = ("car", "new", tmp_path / "other", *new[3:])
    assert "WVWZZZ1KZ6W000001" in shell.done(*europe, "wvwzzz1kz6w000001")

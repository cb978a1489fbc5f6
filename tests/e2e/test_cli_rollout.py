"""Rollouts at the command line, with the worker's rounds between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driveaway.cli.watching import _bar
from driveaway.launch.launch import open_launch
from driveaway.launch.updates.worker import Worker
from driveaway.updates import registry, sets, software
from driveaway.updates.actions import acting
from driveaway.updates.actions.machine import Execution, Report
from driveaway.updates.assigning import Terms, assign
from driveaway.updates.configuration import configure
from driveaway.values.clock import parse_instant
from tests.e2e.shell import LAUNCH_TOML, Shell, vin

AT = "2024-05-06T12:00:00+08:00"
LATER = "2024-05-07T13:00:00+08:00"


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "launch.toml").write_text(LAUNCH_TOML)
    shell = Shell(folder, capsys)
    shell.done("apply")
    at = parse_instant(AT, None)
    with open_launch(folder) as launch, launch.state.change() as change:
        module = software.create_module(change, "os", "1.1.0", "os", at)
        sets.create_set(change, "su7", "1.1.0", "os", [module.id], at, release=f'{{"published":{at}}}')
        for number in range(1, 31):
            registry.create(change, vin(number), at)
        configure(change, "verification.attribute", "release_version", at)
    return shell


def round_of_worker(shell: Shell, at: str) -> None:
    with open_launch(shell.folder) as launch:
        assert Worker(launch, lambda: parse_instant(at, None)).tick()


def test_a_rollout_is_planned_started_and_told(shell: Shell, tmp_path: Path) -> None:
    plan = ("rollout", "plan", "may", "--release", "su7:1.1.0", "--at", AT)
    shell.refused("rollout.stages", *plan, "--stages", "a,b", exit_code=2)
    shell.refused("rollout.growth", *plan, "--stages", "1,100", "--rate", "5/hour", exit_code=2)
    shell.refused("rollout.stages", *plan, "--stages", "1,50", exit_code=2)
    shell.refused("set.unknown", *plan[:3], "--release", "su7:9", exit_code=2)
    shell.refused("window.night", *plan, "--night", "22-6", exit_code=2)
    file = tmp_path / "plan.toml"
    file.write_text('type = "forced"\nretries = 1\nholdout = 0.2\n[rules]\nguards = []\n')
    made = json.loads(
        shell.done(*plan, "--plan", file, "--stages", "20,100", "--hold", "24h", "--weight", 700,
                   "--needs-approval", "--by", "li.na", "--format", "json")
    )  # fmt: skip
    assert made["status"] == "waiting_for_approval"
    assert made["plan"]["rules"]["growth"]["stages"][0]["share"] == 0.2
    assert (made["plan"]["weight"], made["plan"]["retries"]) == (700, 1)
    shell.refused("rollout.status", "rollout", "start", "may")
    shell.refused("rollout.four_eyes", "rollout", "approve", "may", "--by", "li.na")
    shell.done("rollout", "approve", "may", "--by", "wu.lei", "--at", AT)
    shell.done("rollout", "start", "may", "--by", "li.na", "--at", AT)
    round_of_worker(shell, AT)
    told = json.loads(shell.done("rollout", "show", "may", "--at", AT, "--format", "json"))
    assert told["cars"] == 30
    assert told["opened"] == told["offered"] == told["waiting"] > 0
    assert [group["status"] for group in told["groups"]] == ["running", "scheduled", "scheduled"]
    waves = [group["not_before"] for group in told["groups"]]
    assert (waves[0], waves[2]) == (None, None)
    assert parse_instant(waves[1], None) == parse_instant(AT, None) + 24 * 3_600_000_000
    assert "wave 1 of 2" in shell.done("rollout", "watch", "may", "--once")
    why = json.loads(shell.done("rollout", "explain", "may", vin(3), "--at", AT, "--format", "json"))
    assert why["reasons"][0]["code"] in ("offered", "wave_not_open", "held_out")
    assert vin(3) in shell.done("rollout", "explain", "may", vin(3), "--at", AT)
    shell.refused("target.unknown", "rollout", "explain", "may", vin(99), exit_code=2)
    over_all = json.loads(shell.done("rollout", "explain", vin(3), "--at", AT, "--format", "json"))
    assert over_all["rollouts"] == [why]
    assert (over_all["car"], over_all["runs"], over_all["by_hand"]) == (vin(3), None, [])
    shell.refused("target.unknown", "rollout", "explain", vin(99), exit_code=2)
    assert shell("rollout", "explain", "may", vin(3), vin(4)).code == 2
    assert "taken back" in shell.done("rollout", "pause", "may", "--reason", "look", "--at", AT)
    shell.done("rollout", "resume", "may", "--reason", "fine", "--at", AT)
    assert "0 cars" in shell.done("rollout", "retry", "may", "--at", AT)
    round_of_worker(shell, LATER)
    picture = tmp_path / "may.svg"
    said = shell("rollout", "history", "may", "--picture", picture, "--at", LATER)
    assert said.code == 0
    assert "resumed: fine" in said.out
    assert "opened more" in picture.read_text(encoding="utf-8")
    rows = json.loads(shell.done("rollout", "history", "may", "--format", "json"))["rows"]
    assert [row["decision"] for row in rows] == ["started", "advanced", "paused", "resumed", "advanced"]
    assert all({"at", "findings", "simulated"} <= set(row) for row in rows)
    assert "are cancelled" in shell.done("rollout", "abort", "may", "--reason", "newer", "--at", LATER)
    assert "stopped" in shell.done("rollout", "watch", "may")
    assert "may" in shell.done("rollout", "list")


def test_an_account_may_do_what_its_roles_say(shell: Shell, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse 4 battery\n")
    shell.done("account", "add", "seer", "--role", "viewer", "--password-file", password)
    plan = ("rollout", "plan", "may", "--release", "su7-1.1.0")
    shell.refused("account.forbidden", *plan, "--by", "seer")
    shell.refused("account.unknown", *plan, "--by", "nobody")
    shell.done(
        "account", "add", "lead", "--role", "publisher", "--role", "operator", "--password-file", password
    )
    shell.done(*plan, "--by", "lead")
    shell.done("account", "add", "gone", "--role", "publisher", "--password-file", password)
    shell.done(*plan[:2], "june", *plan[3:], "--by", "gone")
    assert shell.done("account", "remove", "gone") == "gone: removed\n"
    shell.refused("account.unknown", *plan[:2], "july", *plan[3:], "--by", "gone")
    told = json.loads(shell.done("rollout", "show", "june", "--format", "json"))
    assert told["planned_by"] == "gone"
    shell.refused("account.missing", "account", "remove", "gone", exit_code=2)
    shell.refused("account.forbidden", "rollout", "start", "may", "--by", "seer")
    shell.refused("rollout.status", "rollout", "retry", "may", "--by", "lead")
    shell.refused("rollout.status", "rollout", "history", "may", "--picture", tmp_path / "x.svg")
    shell.refused("output.format", "rollout", "history", "may", "--picture", tmp_path / "x.gif", exit_code=2)


def test_what_would_be_passed_over_in_silence_is_refused(shell: Shell) -> None:
    said = shell("rollout", "plan", "x", "--release", "su7:1.1.0", "--rate", "5/hour", "--hold", "2h")
    assert said.code == 2
    assert "--hold says how long" in said.err
    assert "nothing yet: driveaway rollout plan" in shell("rollout", "list").err


@pytest.mark.parametrize(
    ("options", "growth"),
    [
        (("--rate", "100/hour"), {"by": "rate", "cars": 100}),
        (
            ("--exponential", "10x2/1000"),
            {"by": "exponential", "base_per_minute": 10.0, "every_succeeded": 1000},
        ),
        (
            ("--cities", "beijing, shanghai+hangzhou", "--hold", "2d"),
            {"by": "groups", "groups": [(["beijing"], 172800), (["shanghai", "hangzhou"], 172800)]},
        ),
    ],
)
def test_growth_is_written_in_one_option(
    shell: Shell, options: tuple[str, ...], growth: dict[str, object]
) -> None:
    made = json.loads(
        shell.done("rollout", "plan", "x", "--release", "su7:1.1.0", *options, "--format", "json")
    )
    found = made["plan"]["rules"]["growth"]
    if "groups" in found:
        found["groups"] = [(each["segments"], each["minimum_s"]) for each in found["groups"]]
    assert {name: found[name] for name in growth} == growth
    assert made["plan"].get("segment", "") == ("city" if growth["by"] == "groups" else "")


def test_the_bar_needs_no_colour() -> None:
    told = {
        "succeeded": 5,
        "installing": 2,
        "waiting": 1,
        "failed": 1,
        "silent": 0,
        "fallback": 0,
        "cars": 20,
    }
    bar = _bar(told)
    assert [bar.count(sign) for sign in "█▒░✗·"] == [10, 4, 2, 2, 22]
    assert bar.endswith("25.0%")


def test_a_car_is_explained_over_all_there_is_for_it(shell: Shell) -> None:
    at = parse_instant(AT, None)
    assert "no rollout was planned yet" in shell.done("rollout", "explain", vin(3), "--at", AT)
    plan = ("--release", "su7:1.1.0", "--at", AT, "--holdout", "0", "--stages", "100", "--hold", "1h")
    shell.done("rollout", "plan", "light", *plan, "--weight", 100)
    shell.done("rollout", "plan", "heavy", *plan, "--weight", 900)
    shell.done("rollout", "plan", "elsewhere", *plan, "--weight", 950, "--filter", "controllerid==nobody")
    shell.done("rollout", "abort", "elsewhere", "--reason", "never mind", "--at", AT)
    for name in ("light", "heavy"):
        shell.done("rollout", "start", name, "--at", AT)
    with open_launch(shell.folder) as launch, launch.state.change() as change:
        found = sets.set_named(change, "su7", "1.1.0")
        configure(change, "multi.assignments.enabled", True, at)
        assign(change, found.id, [vin(3)], Terms(initiated_by="li.na", weight=50), at)
    round_of_worker(shell, AT)
    shell.done("functions", "open", "city_navigation", "--gate", "trim in [Max]", "--at", AT)
    told = json.loads(shell.done("rollout", "explain", vin(3), "--at", AT, "--format", "json"))
    assert [each["rollout"] for each in told["rollouts"]] == ["heavy", "light", "elsewhere"]
    assert [each["gets_it"] for each in told["rollouts"]] == [True, False, False]
    assert [each["reasons"][0]["code"] for each in told["rollouts"]] == [
        "offered",
        "another_rollout_first",
        "not_targeted",
    ]
    assert [(each["release"], each["initiated_by"]) for each in told["by_hand"]] == [("su7:1.1.0", "li.na")]
    assert told["functions"] == ["city_navigation"]
    text = shell.done("rollout", "explain", vin(3), "--at", AT)
    assert f"{vin(3)} gets heavy:" in text
    assert "was given su7:1.1.0 by li.na" in text
    assert f"driveaway functions why {vin(3)} city_navigation" in text


def test_cars_download_and_install_later(shell: Shell) -> None:
    plan = ("--release", "su7:1.1.0", "--at", AT, "--holdout", "0", "--stages", "100", "--hold", "1h")
    shell.done("rollout", "plan", "ahead", *plan, "--type", "downloadonly")
    shell.done("rollout", "start", "ahead", "--at", AT)
    round_of_worker(shell, AT)
    with open_launch(shell.folder) as launch, launch.state.change() as change:
        (action,) = change.rows(
            "SELECT a.id FROM actions a JOIN targets t ON t.id = a.target WHERE t.controller_id = :vin",
            vin=vin(3),
        )
        report = Report(execution=Execution.DOWNLOADED, digest="1")
        acting.take_report(change, vin(3), action[0], report, parse_instant(AT, None))
    shell.refused("rollout.not_downloaded", "rollout", "install", "ahead", "--car", vin(4), exit_code=2)
    assert "1 cars are asked" in shell.done("rollout", "install", "ahead", "--type", "forced", "--at", AT)
    told = json.loads(shell.done("rollout", "explain", vin(3), "--at", AT, "--format", "json"))
    assert [(each["type"], each["release"]) for each in told["by_hand"]] == [("forced", "su7:1.1.0")]
    made = json.loads(
        shell.done("rollout", "plan", "june", *plan, "--type", "soft", "--install-at", "2024-06-01T02:00:00",
                   "--format", "json")
    )  # fmt: skip
    assert made["plan"]["install_at"] == "2024-06-01T02:00:00+08:00"
    shell.done("rollout", "start", "june", "--at", AT)
    shown = shell.done("rollout", "show", "june")
    assert "cars download it" in shown
    assert json.loads(shell.done("rollout", "show", "june", "--format", "json"))["not_before"].startswith(
        "2024-06-01T02:00:00"
    )
    shell.refused("rollout.installs", "rollout", "install", "june")

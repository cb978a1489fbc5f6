"""Planning and promising at the command line, on the demo at a hundredth of its size."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from driveaway.demo.running import make_demo
from tests.e2e.shell import Shell


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned") / "su7"
    make_demo(folder, scale=0.01, seed=3).close()
    return folder


@pytest.fixture
def shell(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(Path(shutil.copytree(made, tmp_path / "su7")), capsys)


def _orders(shell: Shell) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(shell.done("promise", "--all", "--format", "csv"))))


def test_a_plan_is_told_and_adopted(shell: Shell, tmp_path: Path) -> None:
    picture = tmp_path / "plan.svg"
    said = shell("plan", "--weeks", "3", "--out", picture)
    assert said.code == 0
    for words in ("open firm orders", "deliveries-2024-06", "more than 100", "What binds", "simulated"):
        assert words in said.out
    assert "--adopt" in said.err
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    told = json.loads(shell.done("plan", "--format", "json"))
    assert told["simulated"] is True
    assert {"odds", "weeks", "binding", "by_trim", "by_region", "limits", "lp_gap"} <= set(told)
    assert "adopted as fact" in shell.done("plan", "--adopt", "--paths", "200")
    assert json.loads(shell.done("plan", "show", "--format", "json"))["paths"] == 200
    assert "slots: " in shell.done("plan", "diff")


def test_a_plan_is_told_by_day_and_by_region(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    few = ("--paths", "50")
    told = json.loads(shell.done("plan", "--format", "json", *few))
    said = shell.done("plan", "--daily", "--weeks", "2", "--regions", "3", *few)
    assert max(map(len, said.split("Targets")[1].splitlines())) <= 100
    days = _table(said, "Cars by day:")
    assert [row[:2] for row in days] == [[day["day"], f"{day['built']:,}"] for day in told["by_day"][:14]]
    assert "Cars by week:" not in said
    regions = _table(said, "Handed over by region and month, when all goes as expected:")
    cars = sorted((sum(weeks) for weeks in told["by_region"].values()), reverse=True)
    totals = [int(row[-1].replace(",", "")) for row in regions]
    assert totals == [*cars[:3], sum(cars[3:]), sum(cars)]
    assert [row[0] for row in regions[-2:]] == [str(len(cars) - 3), "all"]
    for row in regions:
        numbers = [int(cell.replace(",", "")) for cell in row[-8:]]
        assert sum(numbers[:-1]) == numbers[-1]
    assert "by region" not in shell.done("plan", "--regions", "0", *few)


def _table(said: str, title: str) -> list[list[str]]:
    """The cells of a table's rows, between its heading and the next empty line."""
    lines = said.split(f"{title}\n")[1].split("\n\n")[0].splitlines()
    return [line.split() for line in lines[1:]]


def test_a_plan_is_exported(shell: Shell, tmp_path: Path) -> None:
    for name in ("plan.csv", "plan.parquet"):
        shell.done("plan", "export", "--out", tmp_path / name)
        assert (tmp_path / name).stat().st_size
    rows = list(csv.DictReader((tmp_path / "plan.csv").read_text(encoding="utf-8").splitlines()))
    assert {"order_id", "slot", "p50", "p90"} <= set(rows[0])
    shell.refused("output.format", "plan", "export", "--out", tmp_path / "plan.xlsx", exit_code=2)


def test_an_order_is_promised(shell: Shell) -> None:
    order = next(row for row in _orders(shell) if row["p90"] and not row["promised until"])
    told = shell.done("promise", order["order"])
    assert "an estimate, it may move" in told
    assert "promised: nothing yet" in told
    assert "1 promises recorded" in shell("promise", order["order"], "--commit").err
    assert "the plan keeps it" in shell.done("promise", order["order"])
    said = shell("promise", order["order"], "--commit")
    assert said.code == 1
    assert "[promise.reason]" in said.err
    shell.refused("promise.not_open", "promise", "O-000000001Y", exit_code=2)
    shell.refused("promise.what", "promise", exit_code=2)


def test_a_buyer_who_has_not_ordered_gets_a_date(shell: Shell) -> None:
    told = shell.done("promise", "--quote", "trim=Max,colour=Aqua Blue,city=Shanghai")
    assert "an estimate, no promise" in told
    asked = json.loads(shell.done("promise", "--quote", "trim=Pro", "--format", "json"))
    assert set(asked["estimate"]) == {"p50", "p80", "p90"}
    error = shell.refused("promise.configuration", "promise", "--quote", "trim=Ultra", exit_code=2)
    assert "Standard" in error
    shell.refused("promise.quote", "promise", "--quote", "colour=Aqua Blue", exit_code=2)


def test_what_if(shell: Shell) -> None:
    told = shell.done("whatif", "second shift from 2024-06-01")
    assert "If a further shift" in told
    assert "the same simulated futures for both" in told
    found = json.loads(shell.done("whatif", "lidar +20% from July; line stop 1–7 July", "--format", "json"))
    assert len(found["changes"]) == 2
    assert found["toml"].count("[[changes]]") == 2
    said = shell("whatif", "thrid shift from tomorrow")
    assert said.code == 2
    assert "whatif." in said.err


def test_a_day_is_put_in_line_order(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    said = shell("sequence", "2024-05-06", "--out", file)
    assert said.code == 0
    assert "colour changes (at least" in said.err
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert [row["position"] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]
    assert shell("sequence", "2024-05-07", "--before", file).code == 0
    shell.refused("sequence.day", "sequence", "2020-01-01", exit_code=2)
    shell.refused("sequence.before", "sequence", "2024-05-07", "--before", tmp_path / "no.csv", exit_code=2)


def test_how_promises_fared(shell: Shell) -> None:
    assert "no promise has come due yet" in shell.done("kept")
    late = shell.done("kept", "--as-of", "2024-06-30", "--by", "trim")
    assert "0.0%" in late
    assert "Calibration of adopted plans" in late


def test_without_a_plan_its_figures_are_unknown_with_the_remedy(shell: Shell) -> None:
    told = shell.done("figure", "delivery.target_odds", "--as-of", "2024-04-20")
    assert "driveaway plan --adopt" in told
    shell.refused("delivery.no_plan", "plan", "show", "--as-of", "2024-04-20", exit_code=2)
    shell.refused("delivery.no_orders", "plan", "--as-of", "2024-03-01", exit_code=1)

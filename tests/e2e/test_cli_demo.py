"""The demo as a newcomer runs it, at a hundredth of its size."""

from __future__ import annotations

import csv
import io
import json
import shlex
import shutil
from pathlib import Path

import pytest

from driveaway.cli import main
from driveaway.demo.running import MARKER, make_demo
from driveaway.launch.desk import state_of
from driveaway.launch.launch import open_launch
from tests.e2e.shell import Said, Shell, program


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A launch folder, and what the real program said while it made it."""
    folder = tmp_path_factory.mktemp("demo") / "su7"
    return folder, program("demo", "--dir", folder, "--scale", "0.01", "--seed", "3", "--quiet")


def root(folder: Path) -> str:
    with open_launch(folder) as launch:
        verdict = launch.book.verify()
        assert not verdict.differences
        return verdict.root.hex()


def small(folder: Path, **options: object) -> str:
    with make_demo(folder, scale=0.01, **options):  # type: ignore[arg-type]
        return root(folder)


def test_it_makes_a_launch_and_says_what_is_next(made: tuple[Path, Said]) -> None:
    folder, said = made
    assert said.code == 0
    assert "order-level data is simulated" in said.err
    assert f"driveaway claims --launch {folder}" in said.out
    assert "launch briefing" not in said.out
    page = (folder / "briefing.html").read_text(encoding="utf-8")
    assert "imulated" in page
    assert "<svg" in page
    assert (folder / "launch.toml").read_text(encoding="utf-8").startswith("# Scaled: ")


def test_a_seed_gives_the_same_book_leaf_by_leaf(made: tuple[Path, Said], tmp_path: Path) -> None:
    folder, _ = made
    assert small(tmp_path / "same", seed=3) == root(folder)
    assert small(tmp_path / "other", seed=4) != root(folder)


def test_until_a_day_it_is_the_same_launch(made: tuple[Path, Said], tmp_path: Path) -> None:
    """What happens after the day is left out, and what comes before it does not depend on it."""
    folder, _ = made
    small(tmp_path / "short", seed=3, until="2024-04-03")
    with open_launch(folder) as whole, open_launch(tmp_path / "short") as short:
        assert 0 < short.book.edge().size < whole.book.edge().size
        for name in ("orders.reserved", "orders.locked", "cars.delivered"):
            expected = whole.at("2024-04-03").figure(name, by=["trim"])
            assert short.at("2024-04-03").figure(name, by=["trim"]).rows == expected.rows
            assert short.at("2024-04-24").figure(name).value == whole.at("2024-04-03").figure(name).value


def test_a_second_run_reads_it_and_a_folder_of_your_own_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["demo", "--dir", tmp_path / "su7", "--scale", "0.01", "--until", "2024-04-01"]
    first = run(capsys, *options)
    assert first.code == 0
    assert "launch briefing" in first.out
    head = root(tmp_path / "su7")
    again = run(capsys, *options, "--quiet")
    assert "holds this demo already; reading it" in again.err
    assert root(tmp_path / "su7") == head
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "launch.toml").write_text("# mine\n", encoding="utf-8")
    refused = run(capsys, "demo", "--dir", tmp_path / "mine", "--scale", "0.01", "--quiet")
    assert refused.code == 1
    assert "launch.exists" in refused.err
    assert (tmp_path / "mine" / "launch.toml").read_text(encoding="utf-8") == "# mine\n"


def test_nothing_of_a_person_is_deleted_without_being_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "su7"
    options = ["demo", "--dir", folder, "--scale", "0.01", "--quiet", "--until", "2024-03-30"]
    assert run(capsys, *options).code == 0
    (folder / "notes.txt").write_text("mine\n", encoding="utf-8")
    order = Shell(folder, capsys).reserve("--trim", "Max", "--province", "Beijing", at="2024-03-30T10:00")
    for other in (["--seed", "2"], ["--scale", "0.02"], ["--until", "2024-03-31"]):
        refused = run(capsys, *options, *other)
        assert refused.code == 1
        assert "--force" in refused.err
        assert refused.err.rstrip().endswith("[demo.other]")
        assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine\n"
        assert Shell(folder, capsys).order(order)["status"] == "reserved"
    # A demo that was cut off is made anew, unless something of a person's own stands there.
    (folder / MARKER).write_text("incomplete\n", encoding="utf-8")
    assert run(capsys, *options).err.rstrip().endswith("[demo.foreign]")
    (folder / "notes.txt").unlink()
    refused = run(capsys, *options)
    assert "facts of your own" in refused.err
    assert Shell(folder, capsys).order(order)["status"] == "reserved"
    assert run(capsys, *options, "--force").code == 0
    assert Shell(folder, capsys)("order", order).code != 0
    (folder / MARKER).write_text("incomplete\n", encoding="utf-8")
    assert run(capsys, *options).code == 0
    assert (folder / MARKER).read_text(encoding="utf-8").startswith("seed 1, scale 0.01")


def test_a_demo_until_a_day_is_read_as_of_that_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "su7"
    options = ["demo", "--dir", folder, "--scale", "0.01", "--quiet", "--until"]
    for too_early in ("2020-01-01", "2024-03-27", "2024-03-28T21:00:00+08:00"):
        said = run(capsys, *options, too_early)
        assert said.code == 2
        assert said.err.rstrip().endswith("[demo.until]")
        assert not folder.exists()
    assert run(capsys, *options, "2024-04-03").code == 0
    shell = Shell(folder, capsys)
    assert shell("figure", "orders.locked", "--format", "json").json()["as_of"].startswith("2024-04-03T23:59")
    said = shell("claims", "--format", "json")
    assert said.code == 0
    claims = {claim["claim"]: claim for claim in said.json()}
    assert "disagrees" not in {claim["verdict"] for claim in claims.values()}
    assert claims["locked-2024-04-03"]["verdict"] == "agrees"
    assert "locked-2024-04-24" not in claims


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Said:
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    return Said(code, *capsys.readouterr())


@pytest.mark.parametrize("scale", ["0", "-1", "101", "nan"])
def test_a_scale_out_of_range_leaves_nothing_behind(
    scale: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = run(capsys, "demo", "--dir", tmp_path / "su7", f"--scale={scale}", "--quiet")
    assert said.code == 2
    assert said.err.rstrip().endswith("]")
    assert not (tmp_path / "su7").exists()


def test_the_numbers_are_simulated_and_say_so(
    made: tuple[Path, Said], capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(made[0], capsys)
    said = shell("figure", "orders.locked", "--as-of", "2024-04-24", "--format", "json").json()
    assert said["simulated"]
    assert said["value"] == 757
    assert "simulated" in shell.done("figure", "orders.locked")
    assert ",true\n" in shell.done("figure", "orders.locked", "--format", "csv")
    # The public record is not.
    assert not shell("figure", "trials.range_kept", "--format", "json").json()["simulated"]


def test_claims_at_this_scale_agree(made: tuple[Path, Said], capsys: pytest.CaptureFixture[str]) -> None:
    said = Shell(made[0], capsys)("claims", "--format", "json")
    claims = json.loads(said.out)
    assert said.code == 0
    assert "agrees" in {claim["verdict"] for claim in claims}
    assert "disagrees" not in {claim["verdict"] for claim in claims}


def test_claims_as_csv_are_numbers_and_lower_case_booleans(
    made: tuple[Path, Said], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = list(csv.DictReader(io.StringIO(Shell(made[0], capsys).done("claims", "--format", "csv"))))
    compared = [row for row in rows if row["measured"]]
    assert len(compared) > 15
    assert any(row["difference"].startswith("-") for row in compared)
    for row in compared:
        assert abs(float(row["measured"])) >= 0
        assert len(row["difference"].partition(".")[2]) <= 8, row
        assert float(row["difference"]) == pytest.approx(
            float(row["measured"]) - float(row["value"]), abs=1e-5
        )
    assert {row["simulated"] for row in rows} == {"true", "false"}
    tests = {row["claim"]: row for row in rows if row["claim"].startswith("range-kept-")}
    assert {(row["by_construction"], row["same_source"]) for row in tests.values()} == {("false", "true")}
    told = Shell(made[0], capsys).done("claims")
    assert "same source" in told


def test_provinces_have_names_in_a_table(made: tuple[Path, Said], capsys: pytest.CaptureFixture[str]) -> None:
    assert "440000 Guangdong" in Shell(made[0], capsys).done("figure", "orders.locked", "--by", "province")


def test_the_evidence_of_a_target_can_be_computed_again(
    made: tuple[Path, Said], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(made[0], capsys)
    shell.done("brief", "--out", tmp_path / "b.json")
    sections = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))["sections"]
    (targets,) = [section for section in sections if section["id"] == "targets"]
    evidence = targets["sentences"][0]["evidence"][0]
    words = shlex.split(evidence["recompute"])[1:]
    words[words.index("--launch") + 1] = str(made[0])
    assert shell(*words, "--format", "json").json()["value"] == evidence["value"] == 58


def test_every_ledger_balances(made: tuple[Path, Said]) -> None:
    with open_launch(made[0]) as launch:
        view = launch.at("2024-04-24").view
        ids = view.run(view.table("order.reserved").select("subject"))[0].column("subject").to_pylist()
        kept = paid_back = 0
        for order_id in ids:
            state = state_of(launch, order_id)
            assert state.taken == state.refunded + state.forfeited + state.held
            assert state.held >= 0
            if state.status == "cancelled":
                assert state.held == 0
                paid_back += state.refunded > 0
            else:
                assert state.held == state.taken > 0
                kept += 1
    assert kept > 500
    assert paid_back > 100


def test_a_launch_made_by_the_demo_can_be_worked_with(
    made: tuple[Path, Said], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made[0], folder)
    shell = Shell(folder, capsys)
    before = shell.value("orders.reserved", "--as-of", "2024-04-25")
    order = shell.reserve("--trim", "Max", "--province", "Beijing", at="2024-04-25T08:00")
    assert shell.value("orders.reserved", "--as-of", "2024-04-25") == before + 1
    assert not shell.order(order)["simulated"]
    assert "the book is whole" in shell.done("verify")
    assert shell("apply").err == ""

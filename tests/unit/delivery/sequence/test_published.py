"""Published instances: how their files are read, and, where they are at hand, what is found for some."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bench.delivery.instances import HARD, bench_folder, read_csplib, read_roadef, roadef_folders
from driveaway.delivery.sequence.problem import Counting, Objective, Ratio
from driveaway.delivery.sequence.search import sequence
from tests.surroundings import MACHINE
from tests.unit.delivery.sequence.counting import longest_run, total

needs_instances = pytest.mark.skipif(
    bench_folder(MACHINE) is None, reason="DRIVEAWAY_BENCH names no folder that holds delivery/"
)

VEHICLES = """Date;SeqRank;Ident;Paint Color;HPRC1;LPRC1;
2003 38 3;9;a;2;1;0;
2003 38 4;1;b;2;0;1;
2003 38 4;2;c;7;1;1;
"""


def _write(folder: Path, vehicles: bytes) -> Path:
    (folder / "vehicles.txt").write_bytes(vehicles)
    (folder / "ratios.txt").write_text("Ratio;Prio;Ident;\n1/3;1;HPRC1;\n2/5;0;LPRC1;\n\n")
    (folder / "paint_batch_limit.txt").write_text("limitation;\n15;")
    (folder / "optimization_objectives.txt").write_text(
        "rank;objective name;\n2;low_priority_level_ratio_constraints;\n"
        "1;paint_color_batches;\n3;high_priority_level_and_easy_to_satisfy_ratio_constraints;"
    )
    return folder


@pytest.mark.parametrize(
    "vehicles",
    [
        VEHICLES.encode(),
        b"\xef\xbb\xbf" + VEHICLES.encode(),
        VEHICLES.replace(";\n", "\n").encode(),
        VEHICLES.replace("\n", "\r\n").encode() + b"\r\n;\r\n",
        VEHICLES.encode().rstrip(),
    ],
    ids=["plain", "byte-order mark", "no last semicolon", "blank last line", "no last line end"],
)
def test_a_roadef_instance_is_read(tmp_path: Path, vehicles: bytes) -> None:
    problem = read_roadef(_write(tmp_path, vehicles)).problem
    assert problem.objectives == (Objective.COLOUR_CHANGES, Objective.LOW_RATIOS, Objective.HIGH_RATIOS)
    assert problem.ratios == (Ratio("HPRC1", 1, 3, True), Ratio("LPRC1", 2, 5, False))
    assert problem.paint_limit == 15
    assert problem.cars.colours.tolist() == [2, 7]
    assert problem.cars.options.tolist() == [[False, True], [True, True]]
    assert problem.before is not None
    assert problem.before.colours.tolist() == [2]
    assert problem.before.options.tolist() == [[True, False]]


def test_a_roadef_instance_of_three_days_is_not_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="3 dates"):
        read_roadef(_write(tmp_path, VEHICLES.encode() + b"2003 38 5;1;d;7;1;1;\n"))


def test_csplib_instances_are_read() -> None:
    text = """Some words, with 100 cars in them.

#-----
#Problem 26/82
#-----
4 5 2
0 1 1 0 0 0 1
1 3 0 1 0 0 0

# Problem 60-01
3 2 2
1 2
3 4
0 2 1 0
1 1 0 1
"""
    old, new = read_csplib(text)
    assert (old.name, new.name) == ("26/82", "60-01")
    assert [(r.most, r.window) for r in old.problem.ratios] == [(1, 2), (2, 3), (1, 3), (2, 5), (1, 5)]
    assert old.problem.cars.options[:, 0].tolist() == [True, False, False, False]
    assert [(r.most, r.window) for r in new.problem.ratios] == [(1, 3), (2, 4)]
    assert new.problem.cars.options.tolist() == [[True, False], [True, False], [False, True]]
    assert new.problem.counting == Counting("windows", "whole")
    with pytest.raises(ValueError, match="3 cars in all, not 4"):
        read_csplib(text.replace("3 2 2", "4 2 2"))


@needs_instances
def test_every_published_file_is_read() -> None:
    folder = bench_folder(MACHINE)
    assert folder is not None
    instances = [read_roadef(path) for path in roadef_folders(folder)]
    assert len(instances) == 61
    for instance in instances:
        assert len(instance.problem.objectives) in (2, 3)
        assert instance.problem.before is not None
    names = [instance.name for instance in read_csplib((folder / "csplib-prob001" / "data.txt").read_text())]
    assert len(names) == 79
    assert set(names[:9]) == set(HARD)
    larger = sorted((folder / "csplib-prob001" / "ProblemDataSet200to400").iterdir())
    assert len(larger) == 30


@needs_instances
@pytest.mark.parametrize(
    "name",
    [
        "022_3_4_RAF_EP_ENP",
        "064_38_2_EP_RAF_ENP_ch2",
        "028_ch2_EP_ENP_RAF_S23_J3",
        "048_ch2_RAF_EP_ENP_S22_J3",
        "035_ch1_EP_RAF_ENP_S22_J3",
    ],
)
def test_published_instances(name: str) -> None:
    """Each start and result counted by the second evaluator."""
    folder = bench_folder(MACHINE)
    assert folder is not None
    problem = read_roadef(next(path for path in roadef_folders(folder) if path.name == name)).problem
    found = sequence(problem, moves=400_000)
    own = list(range(len(problem.cars)))
    assert found.given.total == total(problem, own)
    assert found.score.total == total(problem, found.order.tolist())
    assert problem.paint_limit is not None
    assert found.given_keeps_limit is (longest_run(problem, own) <= problem.paint_limit)
    assert longest_run(problem, found.order.tolist()) <= problem.paint_limit
    assert found.score.total < found.given.total
    assert found.fewest_colour_changes <= found.score.colour_changes
    for earlier, later in pairwise(found.history):
        assert later.total < earlier.total
    if problem.objectives[0] is Objective.COLOUR_CHANGES:
        assert found.score.colour_changes == found.fewest_colour_changes


@needs_instances
def test_satisfiable_instances_are_satisfied() -> None:
    folder = bench_folder(MACHINE)
    assert folder is not None
    instances = read_csplib((folder / "csplib-prob001" / "data.txt").read_text())
    for instance in instances[9::25]:
        found = sequence(instance.problem, moves=4_000_000)
        assert found.score.total == 0
        assert total(instance.problem, found.order.tolist()) == 0
        assert np.array_equal(np.sort(found.order), np.arange(len(instance.problem.cars)))

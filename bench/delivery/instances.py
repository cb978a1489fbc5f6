"""Published car sequencing instances, read from the folder that holds them (``DRIVEAWAY_BENCH``)."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from driveaway.delivery.sequence.problem import Cars, Counting, Objective, Problem, Ratio

_OBJECTIVES = {
    "high_priority_level": Objective.HIGH_RATIOS,
    "low_priority_level": Objective.LOW_RATIOS,
    "paint_color_batches": Objective.COLOUR_CHANGES,
}

# The nine hard instances and the windows violated in the best orders known (Gottlieb, Puchta and Solnon,
# EvoWorkshops 2003; Gravel, Gagné and Price, JORS 56, 2005).
HARD = {
    "4/72": 0,
    "6/76": 6,
    "10/93": 3,
    "16/81": 0,
    "19/71": 2,
    "21/90": 2,
    "36/92": 2,
    "41/66": 0,
    "26/82": 0,
}


@dataclass(frozen=True)
class Instance:
    """A published instance; the cars stand in the file's own order."""

    name: str
    problem: Problem


def bench_folder(surroundings: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of published instances, or None when it is not named or not there."""
    named = surroundings.get("DRIVEAWAY_BENCH")
    folder = Path(named) / "delivery" if named else None
    return folder if folder and folder.is_dir() else None


def roadef_folders(folder: Path, sets: str = "AB") -> list[Path]:
    """Folders of the ROADEF 2005 instances of some sets."""
    return [
        path
        for name in sets
        for path in sorted((folder / "roadef2005" / f"Instances_set_{name}").iterdir())
        if path.is_dir()
    ]


def read_roadef(folder: Path) -> Instance:
    """Read one ROADEF 2005 instance.

    Raises:
        ValueError: the files do not have the published form.
    """
    ratios = []
    for line in _rows(folder / "ratios.txt"):
        most, window = line[0].split("/")
        ratios.append(Ratio(line[2], int(most), int(window), high_priority=line[1] == "1"))
    ranked = sorted(_rows(folder / "optimization_objectives.txt"), key=lambda row: int(row[0]))
    objectives = tuple(
        next(kind for start, kind in _OBJECTIVES.items() if row[1].startswith(start)) for row in ranked
    )
    limit = int(next(iter(_rows(folder / "paint_batch_limit.txt")))[0])
    rows = list(_rows(folder / "vehicles.txt"))
    days = list(dict.fromkeys(row[0] for row in rows))
    if len(days) != 2:
        raise ValueError(f"{folder.name}: {len(days)} dates, not two")
    before, day = ([row for row in rows if row[0] == date] for date in days)
    problem = Problem(
        _cars(day, len(ratios)),
        tuple(ratios),
        objectives,
        paint_limit=limit,
        before=_cars(before, len(ratios)),
    )
    return Instance(folder.name, problem)


def _cars(rows: list[list[str]], ratios: int) -> Cars:
    return Cars(
        np.array([int(row[3]) for row in rows], dtype=np.int64),
        np.array([[cell == "1" for cell in row[4 : 4 + ratios]] for row in rows], dtype=np.bool_),
    )


def _rows(file: Path) -> Iterator[list[str]]:
    """Rows under the heading, without blank lines, byte-order mark and the cell after a last ``;``."""
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, delimiter=";")
        next(rows)
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield cells[:-1] if cells[-1] == "" else cells


def read_csplib(text: str) -> list[Instance]:
    """Read instances in the form of CSPLib's prob001, ``data.txt`` or a file of one instance.

    Those without the two lines of N and P have 1/2, 2/3, 1/3, 2/5 and 1/5. Violated windows inside the
    day are counted, as in the literature on these instances.

    Raises:
        ValueError: a line is not of this form, or the classes do not add up to the cars.
    """
    instances: list[Instance] = []
    name = ""
    numbers: list[list[int]] = []
    for line in [*text.splitlines(), "# Problem end"]:
        title = re.match(r"#\s*Problem\s+(\S+)", line)
        if title:
            if numbers:
                instances.append(_csplib(name, numbers))
            name, numbers = title[1], []
        elif re.fullmatch(r"[\d\s]*\d[\d\s]*", line):
            numbers.append([int(cell) for cell in line.split()])
    return instances


def _csplib(name: str, numbers: list[list[int]]) -> Instance:
    cars, options, classes = numbers[0]
    rows = numbers[-classes:]
    most, window = numbers[1:3] if len(numbers) == classes + 3 else ([1, 2, 1, 2, 1], [2, 3, 3, 5, 5])
    if len(numbers) not in (classes + 1, classes + 3) or any(len(row) != options + 2 for row in rows):
        raise ValueError(f"problem {name}: {len(numbers)} lines for {classes} classes of {options} options")
    held = np.array([row[2:] for row in rows for _ in range(row[1])], dtype=np.bool_)
    if len(held) != cars:
        raise ValueError(f"problem {name}: classes of {len(held)} cars in all, not {cars}")
    ratios = tuple(Ratio(str(j), most[j], window[j]) for j in range(options))
    problem = Problem(
        Cars(np.zeros(cars, dtype=np.int64), held),
        ratios,
        (Objective.HIGH_RATIOS,),
        counting=Counting(measure="windows", ends="whole"),
    )
    return Instance(name, problem)

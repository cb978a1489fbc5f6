"""Figures of a small fixed book, in every form of the command line, as they are expected word by word.

``DRIVEAWAY_TEST_REWRITE=1`` writes the expected files anew: read the difference before you commit.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

import pytest

from driveaway.cli import main
from driveaway.launch.launch import open_launch

CASES = Path(__file__).parent / "figures"
SUFFIXES = {"table": "txt", "json": "json", "csv": "csv"}
QUESTIONS = [
    (case.parent.name, name, shape)
    for case in sorted(CASES.glob("*/case.toml"))
    for name in tomllib.loads(case.read_text(encoding="utf-8"))["questions"]
    for shape in SUFFIXES
]


@pytest.fixture(scope="module")
def launches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each case's launch folder: its launch.toml applied, its facts imported."""
    made = {}
    for case in sorted(CASES.glob("*/case.toml")):
        folder = tmp_path_factory.mktemp("golden")
        shutil.copy(case.parent / "launch.toml", folder)
        with open_launch(folder) as launch:
            launch.book.store.create()
            launch.apply()
        assert main(["import", str(case.parent / "facts.ndjson"), "--launch", str(folder)]) == 0
        made[case.parent.name] = folder
    return made


@pytest.mark.parametrize(("case", "name", "shape"), QUESTIONS)
def test_the_answer_is_the_expected_one(
    case: str, name: str, shape: str, launches: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    content = tomllib.loads((CASES / case / "case.toml").read_text(encoding="utf-8"))
    command = [
        "figure",
        *content["questions"][name].split(),
        "--format",
        shape,
        "--launch",
        str(launches[case]),
    ]
    if "--as-of" not in command:
        command += ["--as-of", content["as_of"]]
    capsys.readouterr()
    assert main(command) == 0
    said = capsys.readouterr()
    assert said.err == ""
    file = CASES / case / "expected" / f"{name}.{SUFFIXES[shape]}"
    if os.environ.get("DRIVEAWAY_TEST_REWRITE"):
        file.write_text(said.out, encoding="utf-8")
    assert said.out == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", sorted({case for case, _, _ in QUESTIONS}))
def test_every_expected_file_is_asked_for(case: str) -> None:
    wanted = {f"{name}.{SUFFIXES[shape]}" for found, name, shape in QUESTIONS if found == case}
    assert {file.name for file in (CASES / case / "expected").iterdir()} == wanted

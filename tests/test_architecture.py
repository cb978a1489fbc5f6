"""Walls that import contracts cannot express, and the contracts themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "driveaway"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = PYPROJECT["tool"]["importlinter"]["contracts"]
ROOMS = {"orders", "delivery", "outlets", "updates", "fleet", "trials", "buyers", "publicity"}


def imported(folder: Path) -> set[str]:
    """Names of the top-level packages that a folder's modules import, wherever in the text."""
    names: set[str] = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names


def loaded_by(module: str) -> set[str]:
    """Top-level packages that a fresh process has loaded after importing the module."""
    program = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT / "src"
    )
    return set(done.stdout.split())


def test_values_needs_the_standard_library_alone() -> None:
    assert imported(PACKAGE / "values") <= sys.stdlib_module_names | {"driveaway"}


def test_facts_needs_msgspec_and_the_standard_library() -> None:
    assert imported(PACKAGE / "facts") <= sys.stdlib_module_names | {"driveaway", "msgspec"}


@pytest.mark.parametrize("module", ["driveaway", "driveaway.values.ids", "driveaway.facts"])
def test_the_language_is_imported_in_a_blink(module: str) -> None:
    heavy = ["altair", "asyncio", "click", "duckdb", "ibis", "numpy", "pyarrow", "rich", "sqlalchemy"]
    assert not loaded_by(module) & set(heavy)


def test_every_room_has_its_place_in_the_contract() -> None:
    layers = next(contract for contract in CONTRACTS if contract["id"] == "layers")
    assert layers["exhaustive"] is True
    named = [{name.strip(" ()") for name in layer.split("|")} for layer in layers["layers"]]
    assert ROOMS in named
    assert {"cli", "web"} in named
    order = [min(layer) for layer in named if len(layer) == 1 and layer != {"__main__"}]
    assert order == ["demo", "launch", "briefing", "plots", "catalogue", "figures", "facts", "values"]
    present = {folder.name for folder in PACKAGE.iterdir() if folder.is_dir() and any(folder.glob("*.py"))}
    assert present <= set().union(*named)


def test_modules_stay_small() -> None:
    long = {
        str(file.relative_to(PACKAGE)): lines
        for file in PACKAGE.rglob("*.py")
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) >= 400
    }
    assert not long


def test_nothing_was_left_for_later() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "raise Not" + "ImplementedError")
    found = [
        f"{file.relative_to(ROOT)}: {word}"
        for folder in ("src", "tests", "tools")
        for file in (ROOT / folder).rglob("*.py")
        for word in words
        if word in file.read_text(encoding="utf-8")
    ]
    assert not found

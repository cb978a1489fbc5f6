"""A small simulated launch with its adopted plan, made once; each test works on a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.demo.running import make_demo
from driveaway.launch.launch import Launch, open_launch


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder, at a hundredth of its size."""
    folder = tmp_path_factory.mktemp("planned") / "su7"
    make_demo(folder, scale=0.01, seed=3).close()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "su7"))


@pytest.fixture
def launch(folder: Path) -> Iterator[Launch]:
    """The launch in it."""
    with open_launch(folder) as opened:
        yield opened

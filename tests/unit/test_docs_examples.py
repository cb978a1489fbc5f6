"""Every shell and Python example in the documentation does what its page says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import examples, run_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    str(file.relative_to(ROOT))
    for file in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if examples(file.read_text(encoding="utf-8"))
]


def environment() -> dict[str, str]:
    """That of a reader who has .venv/bin on the PATH."""
    programs = Path(sys.executable).parent
    return os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``launches/su7`` as ``make demo`` leaves it, but a hundredth of its size."""
    folder = tmp_path_factory.mktemp("demo")
    subprocess.run(
        ["driveaway", "demo", "--scale", "0.01", "--quiet"],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=240,
    )
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page(page: str, small_demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    shutil.copytree(small_demo, folder)
    assert run_page(ROOT / page, folder, environment()) > 0

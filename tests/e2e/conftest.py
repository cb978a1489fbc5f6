"""A launch folder to work in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.shell import LAUNCH_TOML, Shell


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A launch as ``driveaway apply`` makes it of a folder with a ``launch.toml``."""
    folder = tmp_path / "launch"
    folder.mkdir()
    (folder / "launch.toml").write_text(LAUNCH_TOML, encoding="utf-8")
    made = Shell(folder, capsys)
    made.done("apply")
    return made

"""The wheel is whole: installed from the lock file into an empty environment, it runs the demo."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.surroundings import MACHINE

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("PYTHONPATH", "VIRTUAL_ENV", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
UV = Path(sys.executable).with_name("uv")


def run(*command: Path | str, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    build = ("build", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable)
    run(UV, *build, "--out-dir", str(target))
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_has_the_sources_and_their_data_and_nothing_else(wheel: Path) -> None:
    package = ROOT / "src" / "driveaway"
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = next(name for name in archive.namelist() if name.endswith("METADATA"))
        assert b"License-Expression: Apache-2.0" in archive.read(metadata)
    assert names == {
        f"driveaway/{file.relative_to(package).as_posix()}"
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {
        "driveaway/py.typed",
        "driveaway/values/glossary.toml",
        "driveaway/cases/su7/launch.toml",
    } <= names


def test_the_demo_runs_from_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    # The installer may reach the package index for what its cache lacks; the demo may not.
    installing = {name: value for name, value in MACHINE.items() if name not in _OURS}
    running = {name: value for name, value in os.environ.items() if name not in _OURS}
    venv = tmp_path / "venv"
    python = venv / "bin" / "python"
    run(UV, "venv", "--quiet", "--python", sys.executable, str(venv), env=installing)
    install = (UV, "pip", "install", "--quiet", "--python", str(python))
    run(*install, "--require-hashes", "-r", str(ROOT / "requirements" / "run.txt"), env=installing)
    run(*install, "--no-deps", str(wheel), env=installing)
    run(UV, "pip", "check", "--quiet", "--python", str(python), env=installing)
    here = tmp_path / "here"
    here.mkdir()
    said = run(venv / "bin" / "driveaway", "demo", "--scale", "0.01", cwd=here, env=running)
    assert "simulated" in said.lower()
    assert (here / "launches" / "su7" / "launch.toml").is_file()
    assert list(here.rglob("briefing.html"))

"""What the sections share: sizes, the working folder, and material that is made once."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Run, note, part


@dataclass
class Bench:
    """One run.

    Attributes:
        workdir: holds what is measured with; what is complete there is used again.
        facts: how many are imported.
        scale: of the book that figures are asked of; 8.2 is 1,000,000 reservations.
        demo_scale: of the demo.
        appends: how many single facts are appended.
        postgres: measure PostgreSQL too.
    """

    workdir: Path
    facts: int
    scale: float
    demo_scale: float
    appends: int
    postgres: bool

    def fresh(self, name: str) -> Path:
        """A path in the working folder where nothing is left of an earlier run."""
        path = self.workdir / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def material(self) -> tuple[Path, Path]:
        """The facts as (Parquet, CSV)."""
        parquet = self.workdir / f"facts-{self.facts}.parquet"
        separated = self.workdir / f"facts-{self.facts}.csv"
        done = self.workdir / f"facts-{self.facts}.complete"
        if not done.exists():
            note(f"writing {self.facts:,} facts as Parquet and CSV")
            part("material", self.facts, parquet, separated)
            done.touch()
        return parquet, separated

    def folder(self, name: str, url: str | None = None) -> Path:
        """A fresh launch folder with an empty book."""
        folder = self.fresh(name)
        part("folder", folder, self.facts, *([url] if url else []))
        return folder

    def book(self) -> tuple[Path, Run | None]:
        """The launch folder with the large book; how it was made, unless it stood there already."""
        name = f"launch-{self.scale:g}"
        folder = self.workdir / name
        done = self.workdir / f"launch-{self.scale:g}.complete"
        if done.exists():
            return folder, None
        note(f"making the book of a launch {self.scale:g} times the real one")
        made = part("book", self.fresh(name), self.scale)
        done.touch()
        return folder, made

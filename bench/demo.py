"""Section ``demo``: what a first run takes, the set-up of the environment left out."""

from __future__ import annotations

import shutil

from bench.measuring import driveaway, note, part
from bench.prepared import Bench
from bench.tables import Goal, Section, mebibytes, rate, seconds

_LIMIT = 30.0


def measure(bench: Bench) -> Section:
    """Measure the demo."""
    section = Section("demo")
    scale = bench.demo_scale
    folder = bench.fresh("demo")
    note("running the demo")
    whole = driveaway("demo", "--dir", folder, "--scale", scale)
    shutil.rmtree(folder)
    note("running the demo's parts")
    run = part("demo", folder, scale)
    shutil.rmtree(folder)
    said = run.said
    section.add(
        f"`driveaway demo` at scale {scale:g} ({said['facts']:,} facts), the whole process; its parts "
        "in another one. Simulating is measured by itself and taken off what it is mixed with."
    )
    rows = [["whole process", seconds(whole.wall), seconds(whole.cpu), mebibytes(whole.peak)]]
    rows += [[name, seconds(took), "", ""] for name, took in said["parts"].items()]
    section.table(["", "wall", "CPU", "peak memory"], rows)
    recording = said["parts"]["checking, hashing and recording"]
    section.add(f"Recording: {rate(said['facts'], recording)} facts.")
    section.goals.append(
        Goal(f"demo at scale {scale:g}", f"< {_LIMIT:g} s", seconds(whole.wall), whole.wall < _LIMIT)
    )
    return section

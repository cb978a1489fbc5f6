"""Learns the ramp prior and writes it as data, with its derivation."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from driveaway.delivery.ramp.prior import LEVELS
from driveaway.delivery.ramp.season import FEATURES
from tools.ramp_prior.fitting import AHEAD, OBSERVED, calibrate, fit, learn_raises
from tools.ramp_prior.reading import FILE, LEAST, MONTHS, Launches, read_launches, record_folder

TARGET = Path(__file__).parents[2] / "src" / "driveaway" / "delivery" / "ramp" / "prior.toml"

_PARAMETERS = {
    "level": "mean log rate (cars per calendar day) once risen",
    "level_spread": "of launches about it, log",
    "rise": "log distance from age 0 to the level",
    "rise_months": "months in which it falls to 1/e",
    "drift": "log per month",
    "first_offset": "mean log share of a first calendar month whose first day is not known",
    "first_spread": "its standard deviation",
    "transient": "standard deviation of a month's own error, log",
    "step": "standard deviation of a month's persistent step once settled, log",
    "early": "excess of its variance at the beginning, as a share",
    "damping": "share of the persistent part left a month later",
    "freedom": "degrees of freedom of the Student distribution",
}


def written(launches: Launches) -> str:
    """The data file's text."""
    fitted = fit(launches, tolerance=1e-3)
    prior, stretch = fitted.prior, calibrate(fitted, launches)
    raises, raised, compared = learn_raises(launches)
    seen = int((~np.isnan(launches.rates)).sum())
    models = len(launches) + len(launches.left_out)
    lines = [
        "# The ramp prior: what other launches say of a new car's handovers. Written by",
        "# `python -m tools.ramp_prior`; docs/explanation/forecast.md says what it means.",
        "#",
        f"# Learned from the monthly handovers of {models} plug-in models sold in China, up to March 2024",
        f"# (a file that is not part of this project). A ramp begins in the first month with {LEAST} cars;",
        f"# {len(launches)} models have one. Learned are their first {MONTHS} months, {seen} in all, by",
        "# maximum a posteriori of a multivariate Student model.",
        "",
        "[ramp]",
        *(f"{name} = {getattr(prior, name):.6g}  # {meaning}" for name, meaning in _PARAMETERS.items()),
        "",
        "# Effect on the log rate of a month that lies wholly in this time of the year.",
        "[season]",
        *(f"{name} = {effect:.6g}" for name, effect in zip(FEATURES, prior.season, strict=True)),
        "",
        f"# Quantiles {', '.join(map(str, LEVELS))} of the absolute standardised error of forecasts made",
        f"# after {', '.join(map(str, OBSERVED))} months: as the Student distribution has them, and as the",
        f"# models showed them (conformal), 1 to {AHEAD} months ahead.",
        "[stretch]",
        f"nominal = [{', '.join(_numbers(row.tolist()) for row in stretch.nominal)}]",
        "actual = [",
        *(
            line
            for block in stretch.actual
            for line in ("  [", *(f"    {_numbers(row.tolist())}," for row in block), "  ],")
        ),
        "]",
        "",
        "# The best three months in a row of months 6 to 11 beat those of months 1 to 5 by over a tenth in",
        f"# {raised} of {compared} launches; spread evenly over six months. `from_age` and `most` are set,",
        "# not learned.",
        "[raises]",
        f"hazard = {raises.hazard:.6g}  # chance per month",
        f"from_age = {raises.from_age}  # months",
        f"least = {raises.least}  # smallest factor; its logarithm is uniform up to the largest",
        f"most = {raises.most}  # largest factor: phase 2 is planned to be as much again",
        "",
    ]
    return "\n".join(lines)


def _numbers(row: list[float]) -> str:
    return "[" + ", ".join(f"{number:.4f}" for number in row) + "]"


def main() -> int:
    """Write the data file."""
    folder = record_folder()
    if folder is None or not (folder / FILE).exists():
        print(f"DRIVEAWAY_RECORD must name the folder that holds {FILE}", file=sys.stderr)
        return 2
    TARGET.write_text(written(read_launches(folder / FILE)), encoding="utf-8")
    print(TARGET)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The command line as tests use it: in this process, or the real program in another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from driveaway.cli import main
from driveaway.values.ids import make_vin

LAUNCH_TOML = """
launch = "e2e"
zone = "Asia/Shanghai"
currency = "CNY"
today = "2024-04-30"
colours = ["Blue", "Green"]

[car]
name = "Example"
orders_open = "2024-03-28T22:00:00+08:00"

[[trims]]
name = "Max"
price = "299900"

[[trims]]
name = "Pro"
price = "245900"

[[editions]]
name = "founder"
quota = 2
deposit = "20000"
locks_at_payment = true

[rules]
refundable_hours = 168
limit_per_person = 2
handover_needs = ["built", "paid", "pegged"]

[[rules.change_windows]]
name = "april"
from_time = "2024-04-19T00:00:00+08:00"
until_time = "2024-04-20T00:00:00+08:00"
requeues = true

[[targets]]
name = "deliveries-april"
set_on = "2024-03-28"
measure = "cars.delivered"
amount = 10
from_day = "2024-04-01"
until_day = "2024-04-30"
"""


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """Runs commands in this process, on one launch folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys

    def __call__(self, *arguments: object) -> Said:
        """Run a command, whatever comes of it."""
        words = [str(argument) for argument in arguments]
        if words[0] not in ("new", "figures", "words") and "--launch" not in words:
            words += ["--launch", str(self.folder)]
        self._capsys.readouterr()
        code = main(words)
        return Said(code, *self._capsys.readouterr())

    def done(self, *arguments: object) -> str:
        """Run a command that succeeds; what it printed."""
        said = self(*arguments)
        assert said.code == 0, said.err
        return said.out

    def refused(self, code: str, *arguments: object, exit_code: int = 1) -> str:
        """Run a command that fails with an error of this code; the error."""
        said = self(*arguments)
        assert said.code == exit_code, said
        assert said.out == ""
        assert said.err.startswith("error: ")
        assert said.err.rstrip().endswith(f"[{code}]"), said.err
        return said.err

    def reserve(self, *options: object, at: str = "2024-03-29T10:00") -> str:
        """Take a reservation; its order id."""
        return self.done("orders", "reserve", "--at", at, *options).strip()

    def order(self, order_id: str) -> Any:
        """An order's whole life."""
        return json.loads(self.done("order", order_id, "--format", "json"))

    def value(self, name: str, *options: object) -> Any:
        """A figure's value."""
        return json.loads(self.done("figure", name, "--format", "json", *options))["value"]

    def mark(self) -> int:
        """The newest mark."""
        return int(json.loads(self.done("verify", "--format", "json"))["facts"])


def vin(number: int) -> str:
    return make_vin("LNB", "SC3AB", 2024, "B", number)


def program(*arguments: object, cwd: Path | None = None, **environment: str) -> Said:
    """Run the real program in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "driveaway", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def money(told: Any) -> dict[str, float]:
    """An order's ledger in major units."""
    return {name: float(text.partition(" ")[2].replace(",", "")) for name, text in told["money"].items()}


def balances(told: Any) -> bool:
    """Every fen of the deposit is accounted for."""
    ledger = money(told)
    kept = ledger.get("deposit held", 0) + ledger.get("applied to the price", 0)
    return ledger["deposit taken"] == ledger["refunded"] + ledger["forfeited"] + kept

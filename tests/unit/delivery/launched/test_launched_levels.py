"""Windows learn from how the launch's own promises fared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driveaway.delivery.planning.problem import NO_DAY
from driveaway.facts import Draft
from driveaway.facts.delivery import PromiseGiven
from driveaway.launch.launch import Launch
from driveaway.launch.planning import adopting, promising, telling
from driveaway.launch.planning.fared import fared
from driveaway.launch.planning.proposing import propose
from driveaway.orders.open import open_orders
from tests.e2e.shell import Shell

_AS_OF = "2024-04-27"


@pytest.fixture
def overdue(launch: Launch) -> Launch:
    """All were promised a window, sixty of them one that was too early: none of their cars came."""
    cut = launch.at()
    waiting = [row for row in open_orders(cut.view).to_pylist() if row["promised_last"] is None][-60:]
    body = PromiseGiven(first_day="2024-04-25", last_day="2024-04-26", confidence=0.9)
    launch.append(
        [
            Draft(
                "promise.given",
                row["order_id"],
                cut.as_of,
                body,
                f"urn:test:{row['order_id']}",
                simulated=True,
            )
            for row in waiting
        ]
    )
    before = propose(launch, launch.at(), paths=200)
    assert (before.asked.used, before.asked.learned) == (0.9, False)
    promising.commit(launch, before, None, reason=None, at=None)
    return launch


def test_promises_kept_too_seldom_make_later_windows_longer(overdue: Launch) -> None:
    proposal = propose(overdue, overdue.at(_AS_OF), paths=200)
    level = proposal.asked
    assert (level.learned, level.nominal, level.promises, level.kept) == (True, 0.9, 60, 0)
    assert 0.91 < level.used < 0.95
    told = list(promising.estimates(overdue, proposal, None))
    both = [(each.window, each.last) for each in told if each.window is not None and each.last is not None]
    assert len(both) > 400
    assert all(window[1] >= last for window, last in both)
    # Dates at the stated confidences stay what the plan says.
    nominal = proposal.plan.promises.handed[proposal.level(0.9)]
    asked = proposal.plan.promises.handed[proposal.level(level.used)]
    dated = asked[: proposal.open] != NO_DAY
    assert (asked > nominal)[: proposal.open][dated].mean() > 0.8
    assert [each.dates[0.9] for each in told] == [proposal.day(int(day)) for day in nominal[: proposal.open]]
    assert sum((window[1] - last).days for window, last in both) / len(both) > 3
    # So does the adopted plan, and a new promise is one at 90% still.
    columns = [name for name in adopting.table_of(proposal).column_names if name[1:2].isdigit()]
    assert columns == ["p5", "p10", "p50", "p80", "p90", "p95"]
    (draft, *_) = promising.drafts_of(overdue, proposal, None, reason="the ramp was slower", at=None)
    assert draft.body.confidence == 0.9  # type: ignore[attr-defined]


def test_the_level_is_told_with_what_it_was_learned_from(overdue: Launch) -> None:
    proposal = propose(overdue, overdue.at(_AS_OF), paths=50)
    level = telling.of_level(proposal.asked)
    assert telling.of_quote(promising.quote(proposal, "Max"))["level"] == level
    (estimate, *_) = promising.estimates(overdue, proposal, None)
    assert telling.of_estimate(estimate)["level"] == level
    assert fared(overdue, overdue.at(_AS_OF), "month", "first")["level"] == level
    said = f"level {proposal.asked.used:g} for 90%: learned from 60 promises that came due, 0.0% of them kept"
    assert telling.level_text(level) == said


def test_the_quote_stands_at_the_learned_level(overdue: Launch) -> None:
    proposal = propose(overdue, overdue.at(_AS_OF), paths=200)
    quoted = promising.quote(proposal, "Max", None, "310000")
    last = quoted.dates[0.9]
    assert quoted.window is not None
    assert last is not None
    assert quoted.window[1] > last


def test_every_door_says_which_level_windows_have(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(folder, capsys)
    words = "level 0.9: 0 promises came due, 20 are needed to learn from them"
    few = ("--paths", "20")
    assert words in shell.done("promise", "--quote", "trim=Pro", *few)
    assert words in shell.done("kept")
    assert words in shell("promise", "--all", "--format", "csv", *few).err
    (each, *_) = json.loads(shell.done("promise", "--all", "--format", "json", *few))
    assert each["level"] == {
        "nominal": 0.9, "used": 0.9, "promises_due": 0, "promises_kept": 0, "learned": False,
    }  # fmt: skip

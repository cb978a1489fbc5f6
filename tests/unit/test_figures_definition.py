"""How a figure is made of a function, and how its arguments are read."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import pytest

from driveaway.book.view import View
from driveaway.figures.compute import Ask
from driveaway.figures.figure import Days, Figure, figure
from driveaway.figures.measure import Measure, Unknown
from driveaway.values.errors import BadValue


@figure(
    "a.b",
    title="T",
    title_zh="题",
    unit="orders",
    evidence=("order.locked",),
    dimensions=("trim",),
    version=2,
)
def example(
    view: View,
    *,
    ask: Ask,
    role: Literal["store", "service"] | None = None,
    kind: Literal["x"] = "x",
    days: Days = 3,
    since: date | None = None,
    name: str = "",
) -> Measure:
    """What it counts,
    in two lines.

    Args:
        role: which role.
        kind: which kind.
        days: how many days,
            note: of those that are over.
        since: from when.
        name: whose.
    """
    return Unknown("an example")


def test_its_definition_is_its_docstring() -> None:
    assert isinstance(example, Figure)
    assert example.definition == "What it counts, in two lines."
    assert (example.name, example.unit, example.version, example.counts) == ("a.b", "orders", 2, "other")
    assert example.builds_on_others


def test_its_parameters_are_those_of_the_function() -> None:
    told = [(p.name, p.type, p.choices, p.default, p.meaning) for p in example.parameters]
    assert told == [
        ("role", "choice", ("store", "service"), None, "which role."),
        ("kind", "choice", ("x",), "x", "which kind."),
        ("days", "whole number", (), 3, "how many days, note: of those that are over."),
        ("since", "day", (), None, "from when."),
        ("name", "text", (), "", "whose."),
    ]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("role", "store", "store"),
        ("role", "store|service", "store|service"),
        ("days", "1", 1),
        ("days", " 28 ", 28),
        ("days", "3660", 3660),
        ("since", "2024-02-29", date(2024, 2, 29)),
        ("name", "any|thing", "any|thing"),
    ],
)
def test_an_argument_is_read(name: str, text: str, value: Any) -> None:
    (parameter,) = [p for p in example.parameters if p.name == name]
    assert parameter.parse(text) == value


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("role", "shop", "argument.choice"),
        ("role", "store|", "argument.choice"),
        ("role", "", "argument.choice"),
        ("days", "three", "argument.type"),
        ("days", "1.5", "argument.type"),
        ("days", "", "argument.type"),
        ("days", "9" * 5000, "argument.type"),
        ("days", "0", "argument.range"),
        ("days", "-1", "argument.range"),
        ("days", "3661", "argument.range"),
        ("since", "yesterday", "time.day"),
    ],
)
def test_an_argument_is_refused(name: str, text: str, code: str) -> None:
    (parameter,) = [p for p in example.parameters if p.name == name]
    with pytest.raises(BadValue) as caught:
        parameter.parse(text)
    assert caught.value.code == code


def test_a_figure_without_a_definition_cannot_be_made() -> None:
    def silent(view: View) -> Measure:
        return Unknown("")

    with pytest.raises(TypeError, match="no public definition"):
        figure("a.b", title="", title_zh="", unit="", evidence=())(silent)


def test_a_parameter_without_a_meaning_cannot_be_made() -> None:
    def half(view: View, *, days: int = 1, weeks: int = 1) -> Measure:
        """A definition.

        Args:
            days: how many.
        """
        return Unknown("")

    with pytest.raises(TypeError, match="parameter weeks is not documented"):
        figure("a.b", title="", title_zh="", unit="", evidence=())(half)

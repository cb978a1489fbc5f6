"""A figure: one typed function with its public definition, from which every door derives."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from driveaway.figures.measure import Measure
from driveaway.values.clock import parse_day
from driveaway.values.errors import BadValue

TIME_DIMENSIONS = ("day", "week", "month")
Days = Annotated[int, Meta(ge=1, le=3660)]
"""So many days: one at least, ten years at the most."""


@dataclass(frozen=True)
class Parameter:
    """One typed parameter of a figure, read from its function's signature.

    Attributes:
        name: as in queries, options and code.
        type: ``text``, ``whole number``, ``day``, ``share``, or one of ``choices``.
        default: None: may be left out.
        meaning: from the docstring's ``Args:``.
        least: smallest whole number that makes sense.
        most: largest one.
    """

    name: str
    type: str
    choices: tuple[str, ...]
    default: Any
    meaning: str
    least: int | None = None
    most: int | None = None

    def parse(self, text: str) -> Any:
        """Read an argument as it comes through a door.

        Raises:
            BadValue: it has another type, or is not among the choices.
        """
        if self.choices:
            for part in text.split("|"):
                if part not in self.choices:
                    known = ", ".join(self.choices)
                    raise BadValue(
                        f"{self.name} {part!r} is not known", code="argument.choice", remedy=f"one of {known}"
                    )
            return text
        if self.type == "whole number":
            return self._whole_number(text)
        if self.type == "day":
            return parse_day(text)
        return text

    def _whole_number(self, text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise BadValue(f"{self.name} {text!r} is not a whole number", code="argument.type") from None
        low, high = self.least, self.most
        if (low is not None and number < low) or (high is not None and number > high):
            raise BadValue(
                f"{self.name} {number} is out of range", code="argument.range", remedy=f"{low} to {high}"
            )
        return number


@dataclass(frozen=True)
class Figure:
    """A figure's definition.

    Attributes:
        name: dotted: room-wide noun, then what is counted.
        title: short public name, English and Chinese.
        unit: of the value; ``share`` is 0–1.
        compute: View (and ``ask`` when it builds on other figures, ``asked`` when it groups and filters by
            itself) and parameters → Measure.
        dimensions: by what it can be grouped and filtered.
        evidence: kinds of fact without which it is unknown, not 0.
        version: of the definition; raised whenever an answer to the same question changes.
        counts: whether it counts events over time or reads a stock at the as-of.
    """

    name: str
    title: str
    title_zh: str
    unit: str
    compute: Callable[..., Measure]
    dimensions: tuple[str, ...]
    evidence: tuple[str, ...]
    version: int
    counts: Literal["events", "stock", "other"]
    parameters: tuple[Parameter, ...]
    definition: str
    builds_on_others: bool
    groups_itself: bool = False

    @property
    def room(self) -> str:
        """The room in which it is defined."""
        return self.compute.__module__.split(".")[1]


def figure(
    name: str,
    *,
    title: str,
    title_zh: str,
    unit: str,
    evidence: Sequence[str],
    dimensions: Sequence[str] = (),
    version: int = 1,
    counts: Literal["events", "stock", "other"] = "other",
) -> Callable[[Callable[..., Measure]], Figure]:
    """Make a Figure of a function. Its docstring is the public definition.

    Raises:
        TypeError: the function has no docstring, or a parameter is not documented in it.
    """

    def make(function: Callable[..., Measure]) -> Figure:
        text = inspect.getdoc(function) or ""
        if not text:
            raise TypeError(f"figure {name} has no public definition: write its docstring")
        definition, _, arguments = text.partition("\nArgs:")
        hints = typing.get_type_hints(function, include_extras=True)
        parameters = tuple(
            _parameter(parameter, hints[parameter.name], arguments, name)
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.name not in ("ask", "asked")
        )
        return Figure(
            name,
            title,
            title_zh,
            unit,
            function,
            tuple(dimensions),
            tuple(evidence),
            version,
            counts,
            parameters,
            " ".join(definition.split()),
            "ask" in inspect.signature(function).parameters,
            "asked" in inspect.signature(function).parameters,
        )

    return make


def _meaning(name: str, arguments: str) -> str:
    """What ``Args:`` says of a parameter, to the end of its last, deeper indented line."""
    said: list[str] = []
    depth = 0
    for line in arguments.splitlines():
        indent = len(line) - len(line.lstrip())
        if said:
            if line.strip() and indent <= depth:
                break
            said.append(line)
        elif line.strip().startswith(f"{name}:"):
            depth = indent
            said.append(line.partition(":")[2])
    return " ".join(" ".join(said).split())


def _parameter(parameter: inspect.Parameter, hint: Any, arguments: str, figure_name: str) -> Parameter:
    meaning = _meaning(parameter.name, arguments)
    if not meaning:
        raise TypeError(f"figure {figure_name}: parameter {parameter.name} is not documented under Args")
    bounds: tuple[int | None, int | None] = (None, None)
    if typing.get_origin(hint) is Annotated:
        hint, meta = typing.get_args(hint)
        bounds = (meta.ge, meta.le)
    inner = [a for a in typing.get_args(hint) if a is not type(None)] or [hint]
    if typing.get_origin(inner[0]) is Annotated:
        inner[0], meta = typing.get_args(inner[0])
        bounds = (meta.ge, meta.le)
    choices: tuple[str, ...] = ()
    if typing.get_origin(hint) is Literal:
        choices = typing.get_args(hint)
    elif typing.get_origin(inner[0]) is Literal:
        choices = typing.get_args(inner[0])
    kind = "choice" if choices else {int: "whole number"}.get(inner[0], "text")
    if getattr(inner[0], "__name__", "") == "date":
        kind = "day"
    default = None if parameter.default is inspect.Parameter.empty else parameter.default
    return Parameter(parameter.name, kind, choices, default, meaning, *bounds)

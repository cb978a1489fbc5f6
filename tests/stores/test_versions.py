"""A kind gets its next version: what the old one wrote is read for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from driveaway.book import columns, reading
from driveaway.facts import KINDS, Draft, kind_named
from driveaway.facts.base import Body, Name
from driveaway.facts.cars import CarShipped
from driveaway.launch.launch import Launch
from driveaway.values.errors import BadValue
from tests.stores import acts


class CarShippedTwo(Body, frozen=True, kw_only=True):
    """Version 2: the place in one field, the carrier never left out."""

    to: Name | None = None
    carrier: Name = "unknown"


def _lift(old: CarShipped) -> CarShippedTwo:
    place = "/".join(part for part in (old.province, old.city) if part)
    return CarShippedTwo(to=place or None, carrier=old.carrier or "unknown")


def _forget() -> None:
    """The program starts anew with its new list of kinds."""
    for cached in (columns.body_schema, columns.schema, reading._decoder):
        cached.cache_clear()


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it to have version 2 of ``car.shipped`` from then on."""

    def upgrade() -> None:
        kind = kind_named("car.shipped")
        newer = replace(kind, body=CarShippedTwo, version=2, older={1: (CarShipped, _lift)})
        monkeypatch.setitem(KINDS, "car.shipped", newer)
        _forget()

    yield upgrade
    monkeypatch.undo()
    _forget()


def _shipped(number: int, hours: float, body: Body) -> Draft:
    return acts.draft("car.shipped", acts.car(number), hours, body)


def test_old_facts_are_read_for_ever(launch: Launch, next_version: Any) -> None:
    old = [CarShipped(province="110000", city="Beijing", carrier="rail"), CarShipped()]
    launch.append([acts.built(1, 0), acts.built(2, 0), acts.built(3, 0)])
    launch.append([_shipped(1, 1, old[0]), _shipped(2, 1, old[1])])
    assert launch.at(acts.at(9)).view.run(launch.at(acts.at(9)).view.table("car.shipped"))[0].num_rows == 2
    root = launch.book.verify().root

    next_version()
    with pytest.raises(BadValue):
        launch.append([_shipped(3, 1, old[0])])
    launch.append([_shipped(3, 1, CarShippedTwo(to="310000/Shanghai"))])

    facts = [fact for fact in launch.book.facts(0, 99) if fact.kind == "car.shipped"]
    assert [fact.version for fact in facts] == [1, 1, 2]
    assert [fact.body for fact in facts] == [
        CarShippedTwo(to="110000/Beijing", carrier="rail"),
        CarShippedTwo(),
        CarShippedTwo(to="310000/Shanghai"),
    ]
    # The mirror, made anew in the new shape, and what asks it.
    launch.book.mirror = type(launch.book.mirror)(
        launch.book.store, launch.book.folder / "mirror", launch.zone
    )
    launch.book.engine = type(launch.book.engine)(launch.book.mirror)
    view = launch.at(acts.at(9)).view
    rows = view.run(view.table("car.shipped").order_by("seq").select("to", "carrier"))[0].to_pylist()
    assert rows == [
        {"to": "110000/Beijing", "carrier": "rail"},
        {"to": None, "carrier": "unknown"},
        {"to": "310000/Shanghai", "carrier": "unknown"},
    ]
    assert view.facts("car.shipped") == facts
    assert launch.at(acts.at(9)).figure("cars.built").value == 3
    # What was hashed is what was written then.
    verdict = launch.book.verify()
    assert (verdict.differences, verdict.size) == ([], 6)
    assert verdict.root != root
    # A repeated source is compared with what it means now.
    assert not launch.append([_shipped(1, 1, _lift(old[0]))])[0].added


def test_a_version_from_the_future_is_refused_with_what_to_do(launch: Launch, next_version: Any) -> None:
    launch.append([acts.built(3, 0)])
    next_version()
    launch.append([_shipped(3, 1, CarShippedTwo(to="x"))])
    KINDS["car.shipped"] = replace(KINDS["car.shipped"], body=CarShipped, version=1, older={})
    _forget()
    with pytest.raises(BadValue) as newer:
        launch.book.about(acts.car(3))
    assert newer.value.code == "kind.version"
    assert "update the program" in newer.value.remedy
    assert launch.book.verify().differences == []


def test_versions_are_lifted_one_step_at_a_time() -> None:
    class Third(Body, frozen=True, kw_only=True):
        to: Name | None = None
        slow: bool

    kind = replace(
        kind_named("car.shipped"),
        body=Third,
        version=3,
        older={
            1: (CarShipped, _lift),
            2: (CarShippedTwo, lambda two: Third(to=two.to, slow=two.carrier == "rail")),
        },
    )
    assert kind.read(1, {"city": "Beijing", "carrier": "rail"}) == Third(to="Beijing", slow=True)
    assert kind.read(2, {"to": "x"}) == Third(to="x", slow=False)
    assert msgspec.to_builtins(kind.read(3, {"slow": True})) == {"slow": True}

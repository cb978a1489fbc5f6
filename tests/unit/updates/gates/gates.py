"""Random gates and cars, for the tests of gates."""

from __future__ import annotations

from hypothesis import strategies as st

from driveaway.updates.gates.expression import (
    COMPARISONS,
    All,
    Amount,
    Any_,
    Assisted,
    Entitlement,
    From,
    Gate,
    Kind,
    Market,
    Not,
    Software,
    Training,
    Trim,
    Until,
    Within,
    values,
)
from driveaway.updates.gates.judging import CarState
from driveaway.updates.places.place import Place, Ring

ONE: Ring = ((0, 0), (10, 0), (10, 10), (0, 10))
TWO: Ring = ((10, 0), (20, 0), (15, 12))
PLACES = (
    Place(code="city:one", polygons=((ONE,),)),
    Place(code="city:two", polygons=((TWO,), (((30, 30), (40, 30), (40, 40), (30, 40)),))),
)
CODES = ("city:lost", "city:one", "city:two")
TRIMS = ("Max", "Pro", "Standard", "第一版 (Founder)")
VERSIONS = ("1.0.0", "1.2.0-rc.1", "1.2.0", "1.10", "2024.5.2", "not~a~version")


def some(*texts: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(texts), min_size=1).map(lambda found: values(*found))


compared = st.sampled_from(COMPARISONS)
small = st.integers(0, 3)
leaves = st.one_of(
    st.builds(Within, some(*CODES)),
    st.builds(Trim, some(*TRIMS)),
    st.builds(Market, some("CN", "DE")),
    st.builds(Amount, st.sampled_from(("lidar", "compute")), compared, small),
    st.builds(Kind, st.sampled_from(("lidar", "compute")), some("orin-x", "thor", "2")),
    st.builds(Software, st.sampled_from(("vehicle", "adas")), compared, st.sampled_from(VERSIONS[:-1])),
    st.builds(Assisted, compared, small),
    st.builds(Entitlement, st.sampled_from(("plus", "city"))),
    st.builds(Training, st.sampled_from(("city", "valet"))),
    st.builds(From, small),
    st.builds(Until, small),
)


def _joined(parts: st.SearchStrategy[Gate]) -> st.SearchStrategy[Gate]:
    # A list of one is written as its part: two or more, or none.
    lists = st.one_of(st.just([]), st.lists(parts, min_size=2, max_size=4)).map(tuple)
    return st.one_of(st.builds(All, lists), st.builds(Any_, lists), st.builds(Not, parts))


gates: st.SearchStrategy[Gate] = st.recursive(leaves, _joined, max_leaves=12)


positions = st.tuples(st.integers(-1, 41), st.integers(-1, 41))
names = st.frozensets(st.sampled_from(("plus", "city", "valet")))


def cars(now: int | None) -> st.SearchStrategy[CarState]:
    """Cars that differ in everything but the time; the computer is always a name, the LiDAR a number."""
    return st.builds(
        CarState,
        trim=st.none() | st.sampled_from(TRIMS),
        market=st.none() | st.sampled_from(("CN", "DE")),
        hardware=st.fixed_dictionaries(
            {}, optional={"lidar": small, "compute": st.sampled_from(("orin-x", "thor"))}
        ),
        software=st.fixed_dictionaries(
            {}, optional={"vehicle": st.sampled_from(VERSIONS), "adas": st.sampled_from(VERSIONS)}
        ),
        assisted_metres=st.none() | small,
        entitlements=st.none() | names,
        trainings=st.none() | names,
        position=st.none() | positions,
        places=st.fixed_dictionaries({}, optional={"city": st.sampled_from(("city:one", "Elsewhere"))}),
        now=st.just(now),
    )

"""Which place a car is at home in, by the names of its province and city."""

from __future__ import annotations

import pytest

from driveaway.updates.places.homes import Homes
from driveaway.updates.places.packaged import packaged_places
from driveaway.updates.places.place import Place, kind_of, units


def square(west: float, south: float) -> tuple[tuple[tuple[int, int], ...], ...]:
    x, y, side = units(west), units(south), units(0.1)
    return (((x, y), (x + side, y), (x + side, y + side), (x, y + side)),)


@pytest.mark.parametrize(
    ("name", "province", "means"),
    [
        ("Beijing", "110000", "city:beijing"),
        ("Xi'an", "610000", "city:xian"),
        ("西安市", "610000", "city:xian"),
        ("Suzhou", "320000", "city:suzhou"),
        ("Suzhou", None, "city:suzhou"),
        ("Suzhou", "340000", "Suzhou (340000)"),
        ("Foshan", "440000", "Foshan"),
        ("Suzhou", "900001", "city:suzhou"),
    ],
)
def test_a_city_is_told_by_name_and_province(name: str, province: str | None, means: str) -> None:
    assert Homes().city(name, province) == means


def test_every_packaged_city_is_found_in_its_province_and_in_no_other() -> None:
    homes = Homes()
    places = packaged_places()
    cities = [place for place in places.values() if kind_of(place.code) == "city"]
    provinces = [code.partition(":")[2] for code in places if kind_of(code) == "province"]
    assert len(cities) == 10
    for city in cities:
        found = [code for code in provinces if homes.city(city.name, code) == city.code]
        assert len(found) == 1


def test_a_place_that_is_given_names_its_city() -> None:
    given = Place(code="city:foshan", polygons=(square(113.1, 23.0),))
    homes = Homes({"city:foshan": given, "area:west": Place(code="area:west", polygons=(square(113, 23),))})
    assert homes.city("Foshan", "440000") == "city:foshan"
    assert homes.city("Foshan City", "440000") == "city:foshan"
    assert homes.city("West", "440000") == "West"

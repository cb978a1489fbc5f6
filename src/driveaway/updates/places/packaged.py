"""The packaged places: provinces, and ten cities. Read when first asked for.

Provinces are faces of Natural Earth's lines and coast at 1:10,000,000 (public domain): good to some hundred
metres, simplified to 400 m. Beijing and Shanghai are provinces. The other cities are circles round GeoNames'
centres (CC BY 4.0), cut at the province's border, because no boundary of Chinese cities was found that may be
passed on under this licence: circles, not boundaries. Made by ``tools/places.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from driveaway.updates.places.geojson import read_places
from driveaway.updates.places.place import Place
from driveaway.values.errors import NotFound

FILE = "china.geojson"


@cache
def packaged_places() -> Mapping[str, Place]:
    """Code → place."""
    text = files("driveaway.updates.places").joinpath(FILE).read_bytes()
    return MappingProxyType({place.code: place for place in read_places(text, FILE, check=False)})


def chosen(codes: Iterable[str], given: Mapping[str, Place] | None = None) -> tuple[Place, ...]:
    """The places of these codes, sorted by code; one that is given goes before one that is packaged.

    Raises:
        NotFound: there is no such place.
    """
    found = []
    for code in sorted(set(codes)):
        place = (given or {}).get(code) or packaged_places().get(code)
        if place is None:
            raise NotFound(
                f"there is no place {code!r}",
                code="place.unknown",
                remedy="give its polygon as GeoJSON, or use a packaged code such as city:beijing",
            )
        found.append(place)
    return tuple(found)

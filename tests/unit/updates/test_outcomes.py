"""How facts name cars, releases and rollouts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.outcomes import release_slug, rollout_slug, vin_of
from driveaway.values.ids import make_vin, parse_slug


@given(st.text(max_size=200), st.text(max_size=80))
def test_every_release_has_a_slug(name: str, version: str) -> None:
    assert parse_slug(release_slug(name, version)) == release_slug(name, version)
    assert parse_slug(rollout_slug(name)) == rollout_slug(name)


@pytest.mark.parametrize(
    ("name", "version", "slug"),
    [
        ("SU7 Xiaomi HyperOS", "1.2.0", "su7-xiaomi-hyperos-1.2.0"),
        ("su7", "1.0-rc.1+build_5", "su7-1.0-rc.1-build-5"),
        ("软件", "", "release"),
        ("a..b", "-1.-", "a.b-1"),
    ],
)
def test_slugs_of_releases(name: str, version: str, slug: str) -> None:
    assert release_slug(name, version) == slug


def test_only_vins_are_named_in_facts() -> None:
    vin = make_vin("LNB", "SU7M0", 2024, "B", 1)
    assert vin_of(vin) == vin
    wrong_digit = vin[:8] + ("0" if vin[8] != "0" else "1") + vin[9:]
    for other in ("", "car-1", vin.lower(), f" {vin}", vin[:-1], wrong_digit):
        assert vin_of(other) is None

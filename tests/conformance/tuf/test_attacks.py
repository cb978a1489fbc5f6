"""Each attack is withstood at both doors, and works once its defence is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from driveaway.values.errors import DriveawayError
from tests.conformance.tuf.attacks import ATTACKS, Attack, Withstood
from tests.conformance.tuf.scene import Mirror, Rules, Scene, served

DOORS = ("http", "bundle")
EACH = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)


@pytest.mark.parametrize("door", DOORS)
@EACH
def test_it_is_withstood(attack: Attack, door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attack.given(monkeypatch)
    with served(Mirror()) as mirror:
        scene = Scene(door, tmp_path, mirror, Rules())
        with pytest.raises((DriveawayError, Withstood)) as caught:
            attack.run(scene)
    assert caught.value.code == attack.code


@pytest.mark.parametrize("door", DOORS)
@EACH
def test_it_works_without_its_defence(
    attack: Attack, door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack.given(monkeypatch)
    with served(Mirror()) as mirror:
        scene = Scene(door, tmp_path, mirror, attack.rules(Rules()))
        attack.without(monkeypatch)
        attack.run(scene)


@pytest.mark.parametrize("door", DOORS)
def test_the_same_road_is_open_to_the_maker(door: str, tmp_path: Path) -> None:
    with served(Mirror()) as mirror:
        scene = Scene(door, tmp_path, mirror, Rules())
        scene.install(scene.first, scene.repository.status(0)[-1].expires - 1)
        scene.go_on()
        scene.install(scene.second, scene.repository.status(0)[-1].expires - 1)
        assert {module.counter for module in scene.car.modules.values()} == {2}

"""What Spark cannot do here is said at once, with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from driveaway.book.spark import session
from driveaway.book.spark.session import open_session
from driveaway.launch.launch import open_launch
from driveaway.values.errors import BadValue, Unavailable
from tests.engines.cluster import free_port
from tests.laws.histories import empty_launch


@pytest.mark.parametrize(
    "name", ["spark", "spark://", "local[]", "local[2] x", "yarn", "http://127.0.0.1:7077"]
)
def test_what_is_no_engine_is_refused(name: str) -> None:
    with empty_launch() as launch, open_launch(launch.folder, engine=name) as other:
        with pytest.raises(BadValue, match="no Spark master") as caught:
            other.at("2024-04-01").figure("orders.locked")
        assert caught.value.code == "spark.master"


def test_a_master_that_is_not_there_is_unavailable_at_once() -> None:
    with pytest.raises(Unavailable) as caught:
        open_session(f"spark://127.0.0.1:{free_port()}")
    assert caught.value.code in {"spark.unreachable", "spark.java"}


def test_without_java_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(session.shutil, "which", lambda name: None)
    with pytest.raises(Unavailable, match="needs Java") as caught:
        open_session("local[1]")
    assert caught.value.code == "spark.java"
    assert "openjdk" in (caught.value.remedy or "")


def test_the_engine_is_a_setting_of_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    with empty_launch() as launch:
        launch.apply()
        Path(launch.folder / "driveaway.toml").write_text('engine = "nothing"\n')
        with open_launch(launch.folder) as other, pytest.raises(BadValue, match="no Spark master"):
            other.at("2024-04-01").figure("orders.locked")
        monkeypatch.setenv("DRIVEAWAY_ENGINE", "duckdb")
        with open_launch(launch.folder) as other:
            assert other.at("2024-04-01").figure("orders.locked").unknown

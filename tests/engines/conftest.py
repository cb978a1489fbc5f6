"""A Spark cluster for the tests of this folder, and a launch to ask of both engines."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from driveaway.book.spark import session
from tests.engines.cluster import DEFAULTS, Cluster, java


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The master of a running cluster, with which this process stays connected."""
    if not java():
        pytest.skip("there is no Java: apt install openjdk-17-jre-headless")
    folder = tmp_path_factory.mktemp("spark")
    (folder / "spark-defaults.conf").write_text(DEFAULTS)
    before = os.environ.get("SPARK_CONF_DIR")
    os.environ["SPARK_CONF_DIR"] = str(folder)
    try:
        with Cluster() as running:
            held = session.open_session(running.master)
            try:
                yield running.master
            finally:
                session.close_session(held)
    finally:
        if before is None:
            del os.environ["SPARK_CONF_DIR"]
        else:
            os.environ["SPARK_CONF_DIR"] = before

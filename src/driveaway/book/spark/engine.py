"""Spark over the files of the mirror and of what landed: as ``book.engine``, and exactly its answers.

The master's workers read the same paths: on more than one machine the launch folder stands on storage
that all of them see. Nothing is downloaded, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot
from sqlglot import expressions as exp

from driveaway.book.engine import Engine
from driveaway.book.landed import Landed
from driveaway.book.mirror import Mirror
from driveaway.book.spark.session import close_session, open_session
from driveaway.values.errors import Unavailable


def _as_double(node: exp.Expression) -> exp.Expression:
    fraction = isinstance(node, exp.Literal) and not node.is_string and not node.is_int
    return exp.cast(node, "double") if fraction and not isinstance(node.parent, exp.Cast) else node


class _Unreadable(Exception):
    """Spark could not read its files."""


class SparkEngine(Engine):
    """Runs figures' expressions on a Spark master."""

    unreadable = (_Unreadable, pa.ArrowException)

    def __init__(self, mirror: Mirror, landed: Landed | None, master: str) -> None:
        """``master``: ``local[2]`` or ``spark://HOST:PORT``; asked for at the first question."""
        super().__init__(mirror, landed)
        self._master = master

    @property
    def backend(self) -> Any:
        """The Spark session; opened at first use."""
        if self._backend is None:
            self._backend = open_session(self._master)
        return self._backend

    def close(self) -> None:
        """Let go of the session."""
        if self._backend is not None:
            close_session(self._backend)
            self._backend = None

    def _make_view(self, name: str, columns: pa.Schema, paths: Sequence[str]) -> None:
        # With the columns given, Spark opens no file to find them out.
        typed = ", ".join(f"`{field.name}` {_type(field.type)}" for field in columns)
        if paths:
            with _told():
                frame = self.backend.read.schema(typed).parquet(*paths)
        else:
            nothing = ", ".join(f"CAST(NULL AS {_type(field.type)}) AS `{field.name}`" for field in columns)
            frame = self.backend.sql(f"SELECT {nothing} WHERE false")
        frame.createOrReplaceTempView(name)

    def _sql(self, expression: ir.Table) -> str:
        # Spark reads 100.0 as a decimal number and then divides in decimals, other than DuckDB: say double.
        parsed = sqlglot.parse_one(str(ibis.pyspark.compile(expression)), dialect="spark")
        return parsed.transform(_as_double).sql(dialect="spark")

    def _run(self, sql: str) -> pa.Table:
        with _told():
            return self.backend.sql(sql).toArrow()

    def _hold(self, name: str, expression: ir.Table) -> None:
        # What many machines hold is not brought to this one: Spark works it out where it is needed.
        with _told():
            self.backend.sql(self._compiled(expression)).createOrReplaceTempView(name)

    def _let_go(self, name: str) -> None:
        self.backend.catalog.dropTempView(name)


@contextmanager
def _told() -> Iterator[None]:
    """Tell files that cannot be read from a cluster that fails.

    Raises:
        _Unreadable: a file is gone or damaged.
        Unavailable: the cluster gave no answer.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        said = str(error)
        if any(word in said for word in _FILES):
            raise _Unreadable(said) from error
        first = said.strip().partition("\n")[0]
        raise Unavailable(
            f"Spark gave no answer: {first}",
            code="spark.failed",
            remedy="look at the master's and workers' logs, or leave the engine out",
        ) from error


_FILES = ("FAILED_READ_FILE", "PATH_NOT_FOUND", "FileNotFoundException", "is not a Parquet file")


def _type(arrow: pa.DataType) -> str:
    """The Spark type of an Arrow type that facts and landed tables use."""
    if pa.types.is_list(arrow):
        return f"ARRAY<{_type(arrow.value_type)}>"
    if pa.types.is_struct(arrow):
        return "STRUCT<" + ", ".join(f"`{field.name}`: {_type(field.type)}" for field in arrow) + ">"
    names = {
        pa.string(): "STRING", pa.int64(): "BIGINT", pa.int32(): "INT", pa.int8(): "TINYINT",
        pa.bool_(): "BOOLEAN", pa.float64(): "DOUBLE", pa.date32(): "DATE",
    }  # fmt: skip
    return names[arrow]

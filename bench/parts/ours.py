"""Our own answers to the peers' questions: FOLDER AS_OF MARK."""

from __future__ import annotations

import sys

from bench.caches import forget
from bench.questions import PER_DAY, WAITING, Answer, answer
from driveaway.launch.launch import Launch, open_launch

_launch: Launch


def _open() -> None:
    global _launch
    _launch = open_launch(folder)


def _waiting() -> Answer:
    rows = _launch.at(as_of, mark=mark).figure("orders.waiting", by=("trim",)).rows or ()
    return {str(row["trim"]): int(row["value"]) for row in rows}


def _per_day() -> Answer:
    rows = _launch.at(as_of, mark=mark).figure("orders.locked_per_day").rows or ()
    return {row["day"]: row["value"] for row in rows if row["value"]}


if __name__ == "__main__":
    folder, as_of, mark = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    forget(folder)
    answer({WAITING: _waiting, PER_DAY: _per_day}, _open)

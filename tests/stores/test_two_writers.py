"""Two processes append at once: one order of recording, nothing lost, nothing doubled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from driveaway.book.store import Store
from driveaway.launch.launch import Launch
from tests.stores.acts import Place

_WRITER = """
import sys
from driveaway.book import writer
from driveaway.book.book import open_store
from driveaway.launch.decide import LaunchDecider
from tests.stores import acts

url, first, patient = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "patient"
store = open_store(url)
sys.stdin.readline()
for number in range(first, first + 40):
    drafts = [acts.reserved(number), acts.taken(number), acts.reserved(9999), acts.taken(9999)]
    outcomes = writer.append(store, drafts, LaunchDecider(acts.DESCRIPTION), patient=patient)
    print(*(outcome.seq for outcome in outcomes), flush=True)
store.close()
"""


def test_two_processes_at_once(place: Place, launch: Launch, store: Store) -> None:
    root = Path(__file__).parents[2]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, place.url, str(first), how],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root,
        )
        for first, how in ((0, "patient"), (1000, "hasty"))
    ]  # fmt: skip
    for each in writers:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    marks: dict[int, list[int]] = {}
    while any(each.poll() is None for each in writers):
        mark = store.edge().size
        if mark and mark not in marks:
            marks[mark] = [row.seq for row in store.rows(0, mark, 9999)]
    answers = [
        [int(word) for line in (each.communicate()[0].splitlines()) for word in line.split()]
        for each in writers
    ]
    assert [each.returncode for each in writers] == [0, 0]
    assert all(len(seqs) == 160 for seqs in answers)
    assert store.edge().size == 162
    rows = store.rows(0, 999, 999)
    assert [row.seq for row in rows] == list(range(1, 163))
    assert len({row.source for row in rows}) == 162
    assert [row.recorded for row in rows] == sorted(row.recorded for row in rows)
    # What a mark showed while both wrote is what it shows now.
    for mark, seen in marks.items():
        assert seen == list(range(1, mark + 1))
    assert launch.book.verify().differences == []

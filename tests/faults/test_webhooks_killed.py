"""``kill -9`` of the worker while it tells a webhook: nothing is lost, what is repeated is the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from driveaway.facts import Draft
from driveaway.facts.updates import VersionReported
from driveaway.launch.hooks import managing
from driveaway.launch.launch import open_launch
from tests.receiver import Answer, Message, is_signed, receiving
from tests.server import ROOT, make_launch, vin
from tests.stores.acts import START

FACTS = 300
KILLED_AT = (40, 170)


def worker(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "driveaway", "serve", "worker", "--every", "1", "--launch", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stderr=subprocess.DEVNULL,
    )


def test_the_worker_is_killed_while_its_receiver_has_a_message(tmp_path: Path) -> None:
    folder = make_launch(tmp_path / "small").folder
    running: list[subprocess.Popen[bytes]] = []
    doomed = list(KILLED_AT)

    def answer(message: Message) -> Answer:
        if doomed and message.seq == doomed[0]:
            # It has the message, and the sender will never hear of it.
            doomed.pop(0)
            running[-1].kill()
        return Answer()

    with receiving(answer) as receiver, open_launch(folder) as launch:
        hook = managing.add_hook(launch, "crm", receiver.url, ["version.reported"], by="")
        launch.append(
            [
                Draft("version.reported", vin(1), START, VersionReported(version=str(number)))
                for number in range(FACTS)
            ]
        )
        for _ in KILLED_AT:
            running.append(worker(folder))
            running[-1].wait(60)
            with launch.state.change() as change:
                # As if its lease had run out meanwhile.
                change.run("DELETE FROM leases")
        running.append(worker(folder))
        receiver.wait(lambda came: came[-1].seq == FACTS, 60)
        running[-1].terminate()
        assert running[-1].wait(60) == 0
        came = receiver.came
        assert managing.told_hook(launch, "crm")["waiting"] == 0
    firsts: dict[int, Message] = {}
    for message in came:
        assert is_signed(message, hook.secret)
        first = firsts.setdefault(message.seq, message)
        assert first.body == message.body
        assert first.headers["webhook-id"] == message.headers["webhook-id"]
    assert list(firsts) == list(range(1, FACTS + 1))
    assert len({message.headers["webhook-id"] for message in came}) == FACTS
    repeated = {
        message.seq for number, message in enumerate(came) if message.seq in [m.seq for m in came[:number]]
    }
    assert set(KILLED_AT) <= repeated

"""Webhooks over real HTTP: order, retries, giving up, signatures, and what is never sent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.facts import Draft, kind_named
from driveaway.facts.launches import Withdrawn
from driveaway.facts.orders import BuyerDescribed, OrderReserved
from driveaway.facts.updates import FunctionOpened, VersionReported
from driveaway.launch.doctor import examine
from driveaway.launch.hooks import delivering, keeping, managing
from driveaway.launch.hooks.delivering import GIVE_UP_AFTER, LEAST_ATTEMPTS, Couriers
from driveaway.launch.hooks.sending import MOST_REPLY, Patience, Sender
from driveaway.launch.hooks.signing import headers_of, message_id, new_secret
from driveaway.launch.launch import Launch
from driveaway.launch.updates.worker import Worker
from driveaway.updates.gates.expression import encode
from driveaway.updates.gates.text import parse
from driveaway.updates.leases import Lease
from driveaway.values.clock import DAY, HOUR, SECOND, now
from driveaway.values.errors import BadValue, Conflict, NotFound, Refused
from tests.conformance.ddi.certificates import Authority
from tests.receiver import Answer, Message, Receiver, is_signed, receiving
from tests.stores import acts
from tests.stores.garage import VINS

AT = acts.START


class Desk:
    """The couriers of a worker that leads, with a clock that only goes by hand."""

    def __init__(self, launch: Launch) -> None:
        self.launch, self.state = launch, launch.state
        self.at = now()
        self.lease = Lease(self.state, "worker", "one", lambda: self.at, seconds=10**6)
        assert self.lease.take()
        self.couriers = Couriers(launch.book_url, self.lease, lambda: self.at, Patience(1.0, 1.0))

    def add(self, name: str, url: str, *kinds: str, first: int | None = None) -> str:
        kinds = kinds or ("version.reported",)
        hook = managing.add_hook(self.launch, name, url, kinds, by="", first=first)
        self.couriers.tend(self.state)
        return hook.secret

    def say(self, *versions: str, vin: str = VINS[0], simulated: bool = False) -> list[int]:
        drafts = [
            Draft("version.reported", vin, AT, VersionReported(version=each), simulated=simulated)
            for each in versions
        ]
        return [each.seq or 0 for each in self.launch.append(drafts)]

    def told(self, name: str) -> dict[str, object]:
        return managing.told_hook(self.launch, name)

    def until(self, so: Callable[[], bool], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not so():
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.fixture
def desk(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(delivering, "_LOOK_EVERY", 0.02)
    monkeypatch.setattr(delivering, "_NOTE_EVERY", 0.05)
    desk = Desk(launch)
    yield desk
    desk.couriers.close()


def versions(came: list[Message]) -> list[str]:
    return [each.event["data"]["version"] for each in came]


@contextmanager
def changing(first: Answer) -> Iterator[tuple[Receiver, list[Answer]]]:
    """A receiver that answers with the one answer of the list."""
    answers = [first]
    with receiving(lambda _: answers[0]) as receiver:
        yield receiver, answers


def test_facts_come_in_order_signed_and_without_what_is_personal(desk: Desk) -> None:
    with receiving() as receiver:
        secret = desk.add("crm", receiver.url, "version.reported", "buyer.described", "order.reserved")
        reserved = OrderReserved(trim="Pro", buyer="b-1")
        desk.launch.append([Draft("order.reserved", acts.order(1), AT, reserved, "urn:shop/a.b 1")])
        described = BuyerDescribed(sex="female", phone_brand="Xiaomi")
        desk.launch.append([Draft("buyer.described", acts.order(1), AT, described)])
        opened = FunctionOpened(gate=encode(parse("trim in [Max]")).decode())
        desk.launch.append([Draft("function.opened", "x", AT, opened)])
        desk.say(*"abcdefghij", simulated=True)
        came = receiver.wait(lambda came: len(came) >= 12)
        assert [each.event["type"] for each in came[:2]] == [
            "driveaway.order.reserved",
            "driveaway.buyer.described",
        ]
        assert versions(came[2:]) == list("abcdefghij")
        seqs = [each.seq for each in came]
        assert seqs == sorted(seqs)
        assert all(is_signed(each, secret) for each in came)
        assert not any(is_signed(each, "whsec_" + "A" * 43 + "=") for each in came)
        first, second = came[0], came[1]
        assert first.headers["webhook-id"] == "urn:shop/a%2Eb%201"
        assert (first.event["source"], first.event["id"]) == ("urn:shop", "a.b 1")
        assert first.event["data"] == {"trim": "Pro"}
        assert second.event["data"] == {}
        assert first.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
        assert int(first.headers["webhook-timestamp"]) == desk.at // SECOND
        assert all(each.event["driveawaysimulated"] is True for each in came[2:])
        assert "driveawaysimulated" not in first.event
        desk.until(lambda: desk.told("crm")["delivered"] == 12)
        told = desk.told("crm")
        assert (told["state"], told["waiting"], told["said"]) == ("delivering", 0, None)
        assert secret not in str(told)
        assert secret not in repr(keeping.find(desk.state, "crm"))


def test_a_correction_names_what_it_corrects(desk: Desk) -> None:
    with receiving() as receiver:
        desk.add("crm", receiver.url, "version.reported", "fact.withdrawn")
        (one,) = desk.say("1")
        draft = Draft("version.reported", VINS[0], AT, VersionReported(version="2"), "urn:a/2", replaces=one)
        (outcome,) = desk.launch.append([draft])
        taken_back = Withdrawn(reason="never so")
        desk.launch.append([Draft("fact.withdrawn", VINS[0], AT, taken_back, replaces=outcome.seq)])
        came = receiver.wait(lambda came: len(came) >= 3)
        source = f"{came[0].event['source']}/{came[0].event['id']}"
        assert came[1].event["driveawayreplaces"] == source
        assert (came[2].event["type"], came[2].event["driveawayreplaces"]) == (
            "driveaway.fact.withdrawn",
            "urn:a/2",
        )


def test_a_failure_is_tried_again_and_nothing_overtakes_it(desk: Desk) -> None:
    with changing(Answer(503, b"busy\x00 now")) as (receiver, answers):
        desk.add("crm", receiver.url)
        desk.say("a", "b")
        desk.until(lambda: desk.told("crm")["attempts"] == 1)
        told = desk.told("crm")
        assert (told["state"], told["said"]) == ("retrying", "status 503: busy  now")
        assert told["waiting"] == 2
        for attempt in range(2, 6):
            # Not before its time, and after it once.
            hook = keeping.find(desk.state, "crm")
            assert hook.next_try is not None
            pause = hook.next_try - desk.at
            assert 5 * SECOND * 2 ** (attempt - 2) / 2 <= pause <= 5 * SECOND * 2 ** (attempt - 2)
            time.sleep(0.1)
            assert len(receiver.came) == attempt - 1
            desk.at = hook.next_try
            desk.until(lambda attempt=attempt: desk.told("crm")["attempts"] == attempt)  # type: ignore[misc]
        answers[0] = Answer(200)
        desk.at += HOUR
        came = receiver.wait(lambda came: len(came) >= 7)
        assert versions(came) == ["a"] * 6 + ["b"]
        assert len({each.headers["webhook-id"] for each in came[:6]}) == 1
        assert len({each.headers["webhook-timestamp"] for each in came[:6]}) > 1
        assert len({each.body for each in came[:6]}) == 1
        desk.until(lambda: desk.told("crm")["delivered"] == 2)
        assert desk.told("crm")["attempts"] == 0


def test_a_receiver_may_say_when_it_is_tried_again(desk: Desk) -> None:
    with changing(Answer(429, headers=(("Retry-After", "600"),))) as (receiver, _):
        desk.add("crm", receiver.url)
        desk.say("a")
        desk.until(lambda: desk.told("crm")["attempts"] == 1)
        assert keeping.find(desk.state, "crm").next_try == desk.at + 600 * SECOND


def test_it_is_given_up_after_three_days_told_and_resumed(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with changing(Answer(500, b"broken")) as (receiver, answers):
        desk.add("crm", receiver.url)
        (seq, _) = desk.say("a", "b")
        begun = desk.at
        for attempt in range(1, LEAST_ATTEMPTS + 2):
            desk.until(lambda attempt=attempt: keeping.find(desk.state, "crm").attempts == attempt)  # type: ignore[misc]
            hook = keeping.find(desk.state, "crm")
            assert hook.enabled
            desk.at = max(hook.next_try or 0, desk.at)
        # Enough tries, a moment too early; and then not.
        desk.at = begun + GIVE_UP_AFTER - 1
        desk.until(lambda: keeping.find(desk.state, "crm").attempts == LEAST_ATTEMPTS + 2)
        assert keeping.find(desk.state, "crm").enabled
        desk.at = begun + GIVE_UP_AFTER + HOUR
        desk.until(lambda: desk.told("crm")["state"] == "given up")
        hook = keeping.find(desk.state, "crm")
        assert hook.attempts >= LEAST_ATTEMPTS
        told = desk.told("crm")
        assert told["state"] == "given up"
        assert "status 500: broken" in str(told["reason"])
        assert any("crm is given up" in record.message for record in caplog.records)
        tried = len(receiver.came)
        desk.at += DAY
        desk.couriers.tend(desk.state)
        time.sleep(0.1)
        assert len(receiver.came) == tried
        answers[0] = Answer(204)
        managing.resume_hook(desk.launch, "crm", by="")
        desk.couriers.tend(desk.state)
        came = receiver.wait(lambda came: len(came) >= tried + 2)
        assert versions(came[tried:]) == ["a", "b"]
        assert came[0].seq == seq


def test_one_that_was_away_for_long_is_not_given_up_at_its_first_failure(desk: Desk) -> None:
    """The worker stood still, not the receiver: it gets its tries."""
    with changing(Answer(500)) as (receiver, _):
        desk.add("crm", receiver.url)
        desk.say("a")
        desk.until(lambda: desk.told("crm")["attempts"] == 1)
        desk.at += 2 * GIVE_UP_AFTER
        desk.until(lambda: desk.told("crm")["attempts"] == 2)
        assert desk.told("crm")["state"] == "retrying"


def test_gone_is_gone(desk: Desk) -> None:
    with changing(Answer(410)) as (receiver, _):
        desk.add("crm", receiver.url)
        desk.say("a", "b")
        desk.until(lambda: desk.told("crm")["state"] == "given up")
        assert len(receiver.came) == 1
        assert "410" in str(desk.told("crm")["reason"])
        (found,) = [
            each for each in examine(str(desk.launch.folder), desk.launch.book_url) if each.what == "webhook"
        ]
        assert (found.state, found.remedy) == ("bad", "driveaway webhook resume crm")


def test_redirects_are_not_followed_and_no_answer_is_read_for_ever(desk: Desk) -> None:
    with (
        receiving() as other,
        changing(Answer(302, headers=(("Location", other.url),))) as (receiver, answers),
    ):
        desk.add("crm", receiver.url)
        desk.say("a")
        desk.until(lambda: desk.told("crm")["attempts"] == 1)
        assert "redirects are not followed" in str(desk.told("crm")["said"])
        answers[0] = Answer(400, b"x" * (20 * MOST_REPLY))
        desk.at += HOUR
        desk.until(lambda: desk.told("crm")["attempts"] == 2)
        assert len(str(desk.told("crm")["said"])) < 300
        answers[0] = Answer(200, after=3)
        desk.at += HOUR
        desk.until(lambda: desk.told("crm")["attempts"] == 3)
        assert desk.told("crm")["said"] == "no answer in time"
        assert other.came == []


@contextmanager
def trickling(gap: float) -> Iterator[str]:
    """A receiver whose answer's head never ends, byte after byte."""
    ending = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
                try:
                    while not ending.wait(gap):
                        connection.sendall(b"y")
                except OSError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        ending.set()
        thread.join()


def test_a_receiver_that_trickles_is_cut_off_and_holds_up_nobody(desk: Desk) -> None:
    with trickling(0.1) as url, receiving() as quick:
        desk.add("slow", url)
        desk.add("quick", quick.url)
        desk.say("a", "b", "c")
        assert versions(quick.wait(lambda came: len(came) >= 3)) == ["a", "b", "c"]
        assert desk.told("slow")["attempts"] == 0
        desk.until(lambda: desk.told("slow")["attempts"] == 1)
        assert desk.told("slow")["waiting"] == 3


def test_a_worker_decides_while_a_receiver_sleeps(launch: Launch) -> None:
    with changing(Answer(200, after=2)) as (receiver, _):
        managing.add_hook(launch, "slow", receiver.url, ["version.reported"], by="")
        launch.append([Draft("version.reported", VINS[0], AT, VersionReported(version="1"))])
        worker = Worker(launch)
        try:
            assert worker.tick()
            receiver.wait(lambda came: len(came) == 1)
            begun = time.monotonic()
            assert worker.tick()
            assert worker.tick()
            # It sleeps still: two rounds were done meanwhile.
            assert time.monotonic() - begun < 2
            assert managing.told_hook(launch, "slow")["delivered"] == 0
        finally:
            worker.couriers.close()
        assert managing.told_hook(launch, "slow")["delivered"] == 1


def test_a_hook_begins_at_the_mark_or_where_it_is_told(desk: Desk) -> None:
    with receiving() as receiver, receiving() as all_of_it:
        first, second = desk.say("a", "b")
        desk.add("new", receiver.url)
        desk.add("old", all_of_it.url, first=second)
        desk.say("c")
        assert versions(all_of_it.wait(lambda came: len(came) >= 2)) == ["b", "c"]
        assert versions(receiver.wait(lambda came: len(came) >= 1)) == ["c"]
        with pytest.raises(BadValue, match="there is no fact"):
            desk.add("never", receiver.url, first=second + 10)
        managing.resume_hook(desk.launch, "new", by="", first=first)
        assert versions(receiver.wait(lambda came: len(came) >= 4)) == ["c", "a", "b", "c"]


def test_a_removed_hook_is_told_no_more(desk: Desk) -> None:
    with receiving() as receiver:
        desk.add("crm", receiver.url)
        desk.say("a")
        receiver.wait(lambda came: len(came) == 1)
        managing.remove_hook(desk.launch, "crm", by="")
        desk.until(lambda: not any(each.name.startswith("webhook-") for each in threading.enumerate()))
        desk.say("b")
        desk.couriers.tend(desk.state)
        time.sleep(0.1)
        assert len(receiver.came) == 1
        with pytest.raises(NotFound):
            desk.told("crm")


def test_who_does_not_lead_sends_nothing_and_the_next_leader_goes_on(desk: Desk) -> None:
    with receiving() as receiver:
        desk.add("crm", receiver.url)
        desk.say("a")
        receiver.wait(lambda came: len(came) == 1)
        desk.until(lambda: desk.told("crm")["delivered"] == 1)
        desk.lease.release()
        other = Lease(desk.state, "worker", "two", lambda: desk.at, seconds=10**6)
        assert other.take()
        desk.say("b")
        time.sleep(0.2)
        assert len(receiver.came) == 1
        following = Couriers(desk.launch.book_url, other, lambda: desk.at, Patience(1.0, 1.0))
        try:
            following.tend(desk.state)
            assert versions(receiver.wait(lambda came: len(came) >= 2)) == ["a", "b"]
        finally:
            following.close()
        assert desk.told("crm")["delivered"] == 2


def test_facts_of_other_kinds_are_passed_by(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "_NOTE_SKIPPED_EVERY", 0.0)
    monkeypatch.setattr(delivering, "_AT_ONCE", 3)
    with receiving() as receiver:
        desk.add("crm", receiver.url, "function.closed", "rollout.decided")
        last = desk.say(*[str(number) for number in range(20)])[-1]
        desk.until(lambda: desk.told("crm")["cursor"] == last)
        assert receiver.came == []
        assert desk.told("crm")["waiting"] == 0


def test_a_message_that_is_no_fact_tries_the_way(desk: Desk) -> None:
    with changing(Answer(200, b"thanks")) as (receiver, answers):
        secret = desk.add("crm", receiver.url)
        assert managing.try_hook(desk.launch, "crm", by="").taken
        (came,) = receiver.came
        assert came.event["type"] == "driveaway.webhook.tested"
        assert is_signed(came, secret)
        with pytest.raises(BadValue):
            kind_named("webhook.tested")
        answers[0] = Answer(404)
        reply = managing.try_hook(desk.launch, "crm", by="")
        assert (reply.taken, reply.said) == (False, "status 404")
        assert desk.told("crm")["attempts"] == 0
    assert managing.try_hook(desk.launch, "crm", by="").status is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://example.com/", "webhook.url"),
        ("example.com/x", "webhook.url"),
        ("https:///x", "webhook.url"),
        ("https://example.com:99999/", "webhook.url"),
        ("https://li:secret@example.com/", "webhook.url"),
        ("https://example.com/#there", "webhook.url"),
        ("https://example.com/a b", "webhook.url"),
        ("https://example.com/\r\nx: y", "webhook.url"),
        ("https://example.com/" + "x" * 2000, "webhook.url"),
        ("http://example.com/", "webhook.plain"),
        ("http://127.0.0.1.example.com/", "webhook.plain"),
        ("http://192.168.1.1/", "webhook.plain"),
    ],
)
def test_an_address_is_refused(url: str, code: str) -> None:
    with pytest.raises((BadValue, Refused)) as refused:
        keeping.check_url(url)
    assert refused.value.code == code


@pytest.mark.parametrize("url", ["https://example.com:8443/x?y=z", "http://localhost:1/", "http://[::1]:1/"])
def test_an_address_is_taken(url: str) -> None:
    assert keeping.check_url(url) == url
    assert keeping.check_url("http://example.com/", plain_http=True)


def test_what_cannot_be_a_hook_is_refused(launch: Launch) -> None:
    def add(name: str = "crm", *kinds: str) -> None:
        managing.add_hook(launch, name, "https://example.com/", kinds, by="")

    with pytest.raises(BadValue, match="no webhook's name"):
        add("A b", "version.reported")
    with pytest.raises(BadValue, match="not said which"):
        add("crm")
    with pytest.raises(BadValue, match="not a kind"):
        add("crm", "version.told")
    add("crm", "version.reported")
    with pytest.raises(Conflict):
        add("crm", "version.reported")
    for number in range(keeping.MOST - 1):
        add(f"hook-{number}", "version.reported")
    with pytest.raises(Refused, match="50 webhooks already"):
        add("more", "version.reported")


def test_only_a_receiver_with_a_trusted_certificate_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "authority")
    authority.issue("authority", "authority", authority=True)
    authority.issue("server", "receiver")
    with receiving(tls=(tmp_path / "server.pem", tmp_path / "server.key")) as receiver:
        hook = keeping.Hook(
            id=1, name="crm", url=receiver.url, kinds=(), secret=new_secret(), enabled=True, revision=0,
            cursor=0, delivered=0, delivered_at=None, attempts=0, failing_since=None, next_try=None, said="",
            reason="", created_by="", created=0,
        )  # fmt: skip
        with closing(Sender(hook.url)) as sender:
            reply = sender.send(hook, "urn:a/1", b"{}", 0)
        assert reply.status is None
        assert "certificate verify failed" in reply.said
        assert receiver.came == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        with closing(Sender(hook.url)) as sender:
            assert sender.send(hook, "urn:a/1", b"{}", 0).taken
        assert is_signed(receiver.came[0], hook.secret)


def test_signatures_are_those_of_the_specification() -> None:
    """The example that the specification's own libraries are tested with."""
    body, at = b'{"test": 2432232314}', 1614265330 * SECOND
    headers = headers_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_an_id_is_a_plain_word_and_no_two_sources_share_one(one: str, other: str) -> None:
    first, second = message_id(one), message_id(other)
    assert first.isascii()
    assert all("!" <= each <= "~" for each in first)
    assert "." not in first
    assert (first == second) is (one == other)

"""How a broker is named and what is read there."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from driveaway.cli.ingest import BROKER, ingest, read
from driveaway.cli.serve import _words, serve
from driveaway.values.errors import BadValue
from driveaway.web.mqtt.options import Broker, Subscription, car_of, read_broker

VIN = "LNBSU7M05RB000001"


def test_urls() -> None:
    assert read_broker("mqtt://host") == Broker("host", 1883)
    assert read_broker("mqtts://us%40er:p%3Aw@[::1]:99/") == Broker("::1", 99, True, "us@er", "p:w")
    assert read_broker("mqtts://u@host", "secret").password == "secret"
    assert read_broker("mqtt://u:p@host:5").place == "mqtt://host:5"


@pytest.mark.parametrize(
    "url", ["host", "http://host", "mqtt://", "mqtt://host:x", "mqtt://host:99999", "mqtt://h/topic", "mqtt://h?x"]
)  # fmt: skip
def test_what_is_no_brokers_url(url: str) -> None:
    with pytest.raises(BadValue) as error:
        read_broker(url)
    assert error.value.code == "mqtt.url"


def test_secrets_stand_in_no_error() -> None:
    with pytest.raises(BadValue) as error:
        read_broker("mqtt://user:secret@host:x")
    assert "secret" not in str(error.value)


def test_certificates_need_tls_and_keys() -> None:
    file = Path("x.pem")
    for given in (
        ("mqtt://h", None, file),
        ("mqtts://h", None, None, file),
        ("mqtts://h", None, None, None, file),
    ):
        with pytest.raises(BadValue):
            read_broker(*given)  # type: ignore[arg-type]
    assert read_broker("mqtts://h", None, file, file, file).authorities == file


def test_filters() -> None:
    Subscription(topics=("a/+/b", "a/#", "#", "+")).check()
    assert Subscription(topics=("a/+",), share="g").filters == ("$share/g/a/+",)
    for topic in ("", "a/b+", "#/a", "a#", "$SYS/#", "a\0"):
        with pytest.raises(BadValue):
            Subscription(topics=(topic,)).check()
    for share in ("", "a/b", "+"):
        with pytest.raises(BadValue):
            Subscription(share=share).check()
    for name in ("", "x" * 129):
        with pytest.raises(BadValue):
            Subscription(client_id=name).check()


@pytest.mark.parametrize(
    ("topic", "filters", "car"),
    [
        (f"driveaway/{VIN}/trips", ("driveaway/+/trips",), VIN),
        ("driveaway/gateway/trips", ("driveaway/+/trips",), None),
        (f"driveaway/{VIN}/trips", ("other/+/trips", "driveaway/#"), None),
        (f"eu/{VIN}/trips", ("+/+/#",), VIN),
        (f"driveaway/{VIN}/trips", (f"driveaway/{VIN}/trips",), None),
        (f"driveaway/{VIN.lower()}/trips", ("driveaway/+/trips",), None),
    ],
)
def test_the_car_in_a_topic(topic: str, filters: tuple[str, ...], car: str | None) -> None:
    assert car_of(topic, filters) == car


def test_options_are_handed_on_to_the_reader_as_they_were_given() -> None:
    words = "--mqtt mqtts://u@h --topic a/+ --topic b/+ --share g --names vss"
    words += " --receive-maximum 7 --session-days 3"
    context = ingest.make_context("ingest", shlex.split(words))
    given = {name: context.params[name] for name in BROKER}
    again = ingest.make_context("ingest", list(_words(given)))
    assert {name: again.params[name] for name in BROKER} == given
    broker, subscription = read(given)
    assert (broker.tls, subscription.topics, subscription.share) == (True, ("a/+", "b/+"), "g")
    assert (subscription.receive_maximum, subscription.expiry) == (7, 3 * 86_400)
    assert set(BROKER) <= {each.name for each in serve.params}


def test_a_password_comes_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIVEAWAY_MQTT_PASSWORD", "secret")
    context = ingest.make_context("ingest", ["--mqtt", "mqtt://u@h"])
    assert read(context.params)[0].password == "secret"


def test_a_broker_must_be_named() -> None:
    done = CliRunner().invoke(serve, ["ingest"])
    assert done.exit_code == 2
    assert "--mqtt" in done.output

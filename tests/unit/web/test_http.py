"""Conditions, media types, limits, clients behind proxies, certificates."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from driveaway.values.errors import BadValue, Conflict, DriveawayError, NotFound, Refused, Unavailable
from driveaway.web.http.certificates import identity
from driveaway.web.http.clients import TrustedProxies, subscriber
from driveaway.web.http.conditions import Outcome, evaluate, http_date, parse_date, range_holds
from driveaway.web.http.errors import HttpError, document_of, status_of
from driveaway.web.http.files import disposition
from driveaway.web.http.limits import Buckets, Rate, admitted
from driveaway.web.http.media import Media, decoded, encoded, negotiated
from driveaway.web.http.scope import Headers

ETAG = '"abc"'
THEN = 1_700_000_000_123_456
DATE = http_date(THEN)
LATER = http_date(THEN + 5_000_000)
EARLIER = http_date(THEN - 5_000_000)


def headers(**named: str) -> Headers:
    return Headers([(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()])


@pytest.mark.parametrize(
    ("method", "named", "expected"),
    [
        ("GET", {}, Outcome.PERFORM),
        ("GET", {"if_match": ETAG}, Outcome.PERFORM),
        ("GET", {"if_match": "*"}, Outcome.PERFORM),
        ("GET", {"if_match": 'W/"abc"'}, Outcome.FAILED),
        ("GET", {"if_match": '"x", "y"'}, Outcome.FAILED),
        ("GET", {"if_match": '"x", "abc"'}, Outcome.PERFORM),
        ("GET", {"if_none_match": ETAG}, Outcome.NOT_MODIFIED),
        ("HEAD", {"if_none_match": 'W/"abc"'}, Outcome.NOT_MODIFIED),
        ("PUT", {"if_none_match": "*"}, Outcome.FAILED),
        ("GET", {"if_none_match": '"x"', "if_modified_since": LATER}, Outcome.PERFORM),
        ("GET", {"if_modified_since": DATE}, Outcome.NOT_MODIFIED),
        ("GET", {"if_modified_since": EARLIER}, Outcome.PERFORM),
        ("GET", {"if_modified_since": "yesterday"}, Outcome.PERFORM),
        ("GET", {"if_unmodified_since": EARLIER}, Outcome.FAILED),
        ("GET", {"if_unmodified_since": DATE}, Outcome.PERFORM),
        ("GET", {"if_match": ETAG, "if_unmodified_since": EARLIER}, Outcome.PERFORM),
        ("GET", {"if_match": '"x"', "if_none_match": ETAG}, Outcome.FAILED),
    ],
)
def test_conditions_in_their_order(method: str, named: dict[str, str], expected: Outcome) -> None:
    assert evaluate(method, headers(**named), ETAG, THEN) is expected


@pytest.mark.parametrize(
    ("header", "holds"),
    [
        (None, True),
        (ETAG, True),
        ('W/"abc"', False),
        ('"abd"', False),
        (DATE, True),
        (LATER, False),
        (EARLIER, False),
        ("soon", False),
    ],
)
def test_if_range(header: str | None, holds: bool) -> None:
    assert range_holds(header, ETAG, THEN) is holds


@given(st.text(max_size=40))
def test_any_text_may_stand_for_a_date(text: str) -> None:
    found = parse_date(text)
    assert found is None or found % 1_000_000 == 0


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, Media.HAL),
        ("*/*", Media.HAL),
        ("application/json", Media.JSON),
        ("application/hal+json, application/json;q=0.5", Media.HAL),
        ("application/cbor", Media.CBOR),
        ("application/cbor;q=0.3, application/json;q=0.4", Media.JSON),
        ("application/*;q=0.2, application/cbor", Media.CBOR),
        ("*/*, application/hal+json;q=0", Media.JSON),
        ("text/html, */*;q=0.1", Media.HAL),
    ],
)
def test_negotiation(accept: str | None, expected: Media) -> None:
    assert negotiated(accept) is expected


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "application/json;q=no"])
def test_nothing_acceptable(accept: str) -> None:
    with pytest.raises(HttpError) as caught:
        negotiated(accept)
    assert status_of(caught.value) == 406


class Said(msgspec.Struct):
    number: int
    words: tuple[str, ...] = ()


@given(st.integers(-(2**53), 2**53), st.lists(st.text(), max_size=4))
def test_cbor_says_what_json_says(number: int, words: list[str]) -> None:
    said = Said(number, tuple(words))
    assert decoded(encoded(said, Media.CBOR), "application/cbor", Said) == said
    assert decoded(encoded(said, Media.HAL), "application/hal+json; charset=utf-8", Said) == said


@given(st.binary(max_size=60), st.sampled_from(["application/cbor", "application/json", None]))
def test_no_body_is_more_than_bad(body: bytes, media: str | None) -> None:
    with suppress(BadValue):
        decoded(body, media, Said)


@pytest.mark.parametrize(
    "body",
    [
        b"\xa1fnumber\xc2\x41\x01",
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\x81" * 500,
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xbf",
        b"\xa2fnumber\x01fnumber\x02",
        cbor2.dumps({"number": "one"}),
        cbor2.dumps({1: 2}),
    ],
)
def test_cbor_that_is_refused(body: bytes) -> None:
    with pytest.raises(BadValue):
        decoded(body, "application/cbor", Said)


def test_json_as_deep_as_one_likes() -> None:
    with pytest.raises(BadValue):
        decoded(b'{"number":1,"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}", None, Said)


def test_the_one_table() -> None:
    closed = Refused("closed", code="action.closed")
    assert [status_of(error) for error in (BadValue("x"), NotFound("x"), Conflict("x"))] == [400, 404, 409]
    assert [status_of(error) for error in (Refused("x"), Unavailable("x"), closed)] == [403, 503, 410]
    assert status_of(Refused("x", code="quota.messages")) == 429
    assert status_of(DriveawayError("secret")) == 500
    assert "secret" not in str(document_of(DriveawayError("secret"), 500))


@given(
    st.floats(0.1, 100),
    st.integers(1, 20),
    st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
def test_a_bucket_in_one_number_is_a_token_bucket(rate: float, burst: int, gaps: list[float]) -> None:
    due, now, tokens, before = 0.0, 1000.0, float(burst), 1000.0
    for gap in gaps:
        now += gap
        tokens, before = min(burst, tokens + (now - before) * rate), now
        if abs(tokens - 1) < 1e-6:
            return  # The two may round to different sides.
        due, wait = admitted(due, now, Rate(rate, burst))
        assert (wait == 0) is (tokens >= 1)
        if wait == 0:
            tokens -= 1
        else:
            assert wait == pytest.approx((1 - tokens) / rate, abs=1e-6)


def test_buckets_forget_the_oldest() -> None:
    buckets = Buckets(Rate(1, 1), most=2)
    assert buckets.take("a", 100.0) == 0
    assert buckets.empty("a", 100.0) > 0
    buckets.take("b", 100.0)
    buckets.take("c", 100.0)
    assert len(buckets) == 2
    assert buckets.empty("a", 100.0) == 0


def client_of(peer: str, trusted: tuple[str, ...], public: str = "", **named: str) -> tuple[str, str, bool]:
    scope: dict[str, Any] = {"client": (peer, 1), "scheme": "http", "http_version": "1.1", "server": ("s", 1)}
    return tuple(TrustedProxies(trusted).client(scope, headers(**named), public))  # type: ignore[return-value]


def test_what_a_proxy_says_counts_where_it_is_trusted() -> None:
    said = {
        "host": "inside:8080",
        "x_forwarded_for": "6.6.6.6, 9.9.9.9, 10.0.0.2",
        "x_forwarded_proto": "https",
        "x_forwarded_host": "cars.example",
        "x_forwarded_port": "8443",
    }
    trusted = ("10.0.0.0/8",)
    assert client_of("10.0.0.1", trusted, **said) == ("9.9.9.9", "https://cars.example:8443", True)
    assert client_of("11.0.0.1", trusted, **said) == ("11.0.0.1", "http://inside:8080", False)
    assert client_of("10.0.0.1", (), **said) == ("10.0.0.1", "http://inside:8080", False)
    assert client_of("::ffff:10.0.0.1", trusted, **said)[2]
    assert client_of("11.0.0.1", trusted, "https://p", **said)[1] == "https://p"


@pytest.mark.parametrize("chain", ["", "unknown", "1.1.1.1, nonsense", "_hidden:1"])
def test_a_chain_that_breaks_off_ends_at_the_last_address(chain: str) -> None:
    assert client_of("10.0.0.1", ("10.0.0.1",), host="h", x_forwarded_for=chain)[0] == "10.0.0.1"


def test_who_has_a_whole_network_is_one() -> None:
    assert subscriber("192.0.2.1") == "192.0.2.1"
    assert subscriber("::ffff:192.0.2.1") == "192.0.2.1"
    assert subscriber("2001:db8:1:2:3:4:5:6") == subscriber("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert subscriber("2001:db8:1:3::1") != subscriber("2001:db8:1:2::1")
    assert subscriber("un:known") == "un:known"


@pytest.mark.parametrize("host", ["", "a b", "a/b", "a@b", 'a"b', "a:b", "a\\b", "<x>"])
def test_no_links_to_hosts_that_are_none(host: str) -> None:
    with pytest.raises(HttpError):
        client_of("10.0.0.1", (), host=host)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_any_name_can_be_saved_under(name: str) -> None:
    value = disposition(name).encode("ascii")
    assert b"\r" not in value
    assert b"\n" not in value
    assert value.count(b'"') == 2


def certificate(issuer: list[tuple[x509.ObjectIdentifier, str, _ASN1Type]], name: str, path: Path) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    built = (
        x509.CertificateBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(oid, value, kind) for oid, value, kind in issuer]))
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    return built.public_bytes(serialization.Encoding.DER)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is what it is compared with")
@pytest.mark.parametrize(
    "issuer",
    [
        [(NameOID.COMMON_NAME, "Cars CA", _ASN1Type.UTF8String)],
        [
            (NameOID.COUNTRY_NAME, "CN", _ASN1Type.PrintableString),
            (NameOID.ORGANIZATION_NAME, "  Big   CAR \t Works ", _ASN1Type.UTF8String),
            (NameOID.COMMON_NAME, "汽车 CA Ü", _ASN1Type.UTF8String),
        ],
        [
            (NameOID.DOMAIN_COMPONENT, "Example", _ASN1Type.IA5String),
            (NameOID.COMMON_NAME, "Ünïcode", _ASN1Type.BMPString),
            (NameOID.LOCALITY_NAME, "x" * 120, _ASN1Type.PrintableString),
        ],
    ],
)
def test_an_issuer_is_known_by_openssls_hash(issuer: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "car.pem"
    der = certificate(issuer, "LVSHCAMB1CE000001", path)
    command = ["openssl", "x509", "-noout", "-issuer_hash", "-in", str(path)]
    expected = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert identity(der) == ("LVSHCAMB1CE000001", expected)

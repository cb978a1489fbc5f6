"""What clients send is read, whatever they add to it; what cannot be read says why."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.updates.ddi.messages import (
    ActionFeedback,
    AutoConfirmRequest,
    ConfigData,
    ConfirmationFeedback,
    InstalledBase,
    attributes_of,
    convert,
    read,
    report_of,
    report_of_confirmation,
)
from driveaway.updates.registry import Mode
from driveaway.values.clock import parse_instant
from driveaway.values.errors import BadValue

# As SWUpdate 2022.12 and rauc-hawkbit-updater 1.4 send them.
SWUPDATE = {
    "id": 8,
    "time": "20240506T040000",
    "status": {
        "result": {"progress": {"cnt": 0, "of": 0}, "finished": "none"},
        "execution": "proceeding",
        "details": ["Installing Update Chunk Artifacts.", "line"],
    },
}
RAUC = {
    "id": "8",
    "time": "20240506T040000",
    "status": {
        "result": {"finished": "success", "progress": {"cnt": 100, "of": 100}},
        "execution": "closed",
        "details": ["Software bundle installed successfully."],
        "code": 200,
    },
}


def test_what_real_clients_send() -> None:
    first = report_of(read(ActionFeedback, json.dumps(SWUPDATE).encode()), "u")
    assert (first.execution, first.finished, first.code) == ("proceeding", "none", None)
    assert first.messages == ("Installing Update Chunk Artifacts.", "line")
    assert first.reported == parse_instant("2024-05-06T04:00:00Z", None)
    second = report_of(read(ActionFeedback, json.dumps(RAUC).encode()), "u")
    assert (second.execution, second.finished, second.code) == ("closed", "success", 200)
    assert first.digest != second.digest
    data = read(
        ConfigData,
        b'{"id":"","time":"20240506T040000","status":{"result":{"finished":"success"},"execution":"closed",'
        b'"details":[""]},"data":{"device":"su7","slots":2,"secure":true}}',
    )
    assert attributes_of(data) == {"device": "su7", "slots": "2", "secure": "true"}
    assert data.mode is None


def test_a_milliseconds_timestamp_goes_before_the_written_time() -> None:
    said = {**RAUC, "timestamp": 1714968000123}
    assert report_of(convert(ActionFeedback, said), "u").reported == 1714968000123000
    for useless in (0, -1, "yesterday", 2**60, 1e300, None):
        said = {**RAUC, "timestamp": useless, "time": "soon"}
        assert report_of(convert(ActionFeedback, said), "u").reported is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"{}",
        b'{"status":{}}',
        b'{"status":{"execution":"eaten"}}',
        b'{"status":{"execution":"closed","result":{"finished":"perhaps"}}}',
        b'{"status":{"execution":"closed","code":"200"}}',
        b'{"status":{"execution":"closed","code":99999999999}}',
        b'{"status":{"execution":"closed","details":[1]}}',
        b'{"status":{"execution":"closed","details":["\\ud800"]}}',
        b'\xff\xfe{"status"',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read(body: bytes) -> None:
    with pytest.raises(BadValue) as bad:
        read(ActionFeedback, body)
    assert bad.value.code == "ddi.message"
    assert len(bad.value.message) <= 400


def test_forms_that_are_taken() -> None:
    assert report_of(convert(ActionFeedback, {"status": {"execution": "resumed"}}), "u").messages == ()
    one = convert(ActionFeedback, {"status": {"execution": "resumed", "details": "a text"}})
    assert report_of(one, "u").messages == ("a text",)
    assert read(ConfigData, b'{"data":{"a":null},"mode":"remove"}').mode is Mode.REMOVE
    with pytest.raises(BadValue):
        read(ConfigData, b'{"data":{"a":{}}}')
    with pytest.raises(BadValue):
        read(ConfigData, b'{"data":{},"mode":"add"}')
    assert read(InstalledBase, b'{"name":"su7","version":"1"}') == InstalledBase(name="su7", version="1")
    for wrong in (b'{"name":"","version":"1"}', b'{"name":"su7"}', b'{"name":"a\\u0000","version":"1"}'):
        with pytest.raises(BadValue):
            read(InstalledBase, wrong)
    assert read(AutoConfirmRequest, b"{}") == AutoConfirmRequest()
    with pytest.raises(BadValue):
        read(AutoConfirmRequest, json.dumps({"remark": "x" * 513}).encode())
    assert read(ConfirmationFeedback, b'{"confirmation":"denied"}').confirmation == "denied"
    with pytest.raises(BadValue):
        read(ConfirmationFeedback, b'{"confirmation":"maybe"}')


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    _JSON,
    st.sampled_from([ActionFeedback, ConfigData, ConfirmationFeedback, AutoConfirmRequest, InstalledBase]),
)
def test_anything_is_read_or_refused(content: Any, kind: type[Any]) -> None:
    """JSON and what CBOR decodes to are judged alike."""
    try:
        body = json.dumps(content).encode()
    except UnicodeEncodeError:
        return
    results = []
    for take in (lambda: read(kind, body), lambda: convert(kind, content)):
        try:
            results.append(msgspec.json.encode(take(), order="sorted"))
        except BadValue:
            results.append(b"refused")
    assert results[0] == results[1]


@given(_JSON)
def test_unknown_fields_change_nothing(extra: Any) -> None:
    plain = report_of(convert(ActionFeedback, SWUPDATE), "u")
    more = {**SWUPDATE, "surprise": extra, "status": {**SWUPDATE["status"], "more": extra}}  # type: ignore[dict-item]
    assert report_of(convert(ActionFeedback, more), "u") == plain


def test_digests_tell_reports_apart() -> None:
    same = convert(ActionFeedback, SWUPDATE)
    assert report_of(same, "u").digest == report_of(convert(ActionFeedback, dict(SWUPDATE)), "u").digest
    assert report_of(same, "u").digest != report_of(same, "c").digest
    later = convert(ActionFeedback, {**SWUPDATE, "time": "20240506T040001"})
    assert report_of(same, "u").digest != report_of(later, "u").digest
    agreed = ConfirmationFeedback(confirmation="confirmed")
    denied = ConfirmationFeedback(confirmation="denied", details=("why",))
    assert report_of_confirmation(agreed).digest != report_of_confirmation(denied).digest
    assert report_of_confirmation(denied).messages == ("why",)

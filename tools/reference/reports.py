"""The page of what cars report: routes, fields, and signals under other names."""

from __future__ import annotations

from driveaway.facts.health import CarHealth
from driveaway.facts.trips import OVERLAY, VSS, TripSegment
from driveaway.fleet.doors import assembly
from driveaway.fleet.doors.rows import TripRow
from driveaway.fleet.doors.telemetry import KEYS
from driveaway.launch.reports import Activation
from driveaway.web.device.options import Limits
from driveaway.web.device.reported import OF_TENANT
from driveaway.web.device.reports import ROUTES
from driveaway.web.mqtt.options import Subscription
from tools.reference.kinds import attributes
from tools.reference.markdown import code, page, prose, table


def reports() -> str:
    """Every route, field and signal."""
    limits, read = Limits(), Subscription()
    return page(
        "Reports of cars",
        "How cars report, and under which names. [Report trips](../how-to/report-trips.md) says how to set "
        "it up.",
        "## Over HTTP",
        table(
            ("request", "does", "body"),
            (
                (code(f"POST {OF_TENANT}{each.name}"), prose(each.does), ", ".join(map(code, each.media)))
                for each in ROUTES
            ),
        ),
        "The same in OpenAPI 3.1, with every answer: [device-api.json](device-api.json).",
        "With `?vin=` a car speaks of itself and shows what it shows when it polls: its own token "
        "(`Authorization: TargetToken …`), a certificate, or the gateway's token. A row of another car "
        "refuses the whole request (403). Without `vin` a gateway speaks for many cars and shows "
        "`Authorization: GatewayToken …`.",
        "Nothing is answered before it is on disk and in the book. What was not answered is sent again, "
        "with the same id: nothing counts twice.",
        "### `trips`",
        "The batch's id stands in `Idempotency-Key` or `?batch=`: up to 120 letters, digits and "
        "`._~:/+=-`, chosen by the sender and never given to other rows. `?names=vss` says that the "
        "fields of NDJSON are signals of VSS. Whatever is reported may be packed: `Content-Encoding: gzip` "
        "or `zstd`.",
        table(
            ("bound", "is"),
            (
                ("bytes of a batch, as sent and as unpacked", f"{limits.batch:,}"),
                (
                    "bytes of batches that one process holds at once; more are answered 503",
                    f"{limits.batches:,}",
                ),
                ("seconds within which a body is there", f"{limits.body_seconds:g}"),
                ("requests a second of one car, in the long run", f"{limits.car.per_second:g}"),
                ("requests a second of gateways of one address", f"{limits.gateway.per_second:g}"),
                ("bytes of other bodies", f"{limits.body:,}"),
            ),
        ),
        "The answer, 200, is an object: `batch`; `duplicate`, whether it was there already; `seq` of its "
        "fact; `rows` accepted; `repeated`, rows that were there already with the same content; "
        "`quarantined`, rows put aside by code; `reasons` of the first hundred of them, each with `row` "
        "(from 0), `code`, `reason` and `remedy`. Refused whole: 400 what cannot be read, 401 and 403, 409 "
        "an id that means other rows, 413, 415, 429 and 503 with `Retry-After`.",
        "Fields of a row:",
        attributes(TripRow, TripSegment),
        "Arrow columns are named likewise. They may be integers of any width, timestamps with a zone, and "
        "text; neither dictionaries nor views nor compressed buffers.",
        "### `health`",
        prose(CarHealth.__doc__).partition("\n\nAttributes:")[0],
        attributes(CarHealth),
        "The answer counts what was `added` and `repeated`, and lists what was `refused`: `health.row`, "
        "`health.future`, `health.conflict`.",
        "### `functions`",
        prose(Activation.__doc__).partition("\n\nAttributes:")[0] + " Each is a fact `function.activated`.",
        attributes(Activation),
        "The answer is as for `health`, with `function.row`, `function.future` and `source.conflict`.",
        "## Over MQTT",
        "A message is NDJSON or an Arrow stream; its id is made of its content. Where the topic's filter "
        "has a `+` and the topic a VIN, rows of other cars are put aside (`trips.other_car`). A message "
        f"that cannot be read, or is larger than {read.largest:,} bytes, is put aside whole and "
        "acknowledged.",
        "## Names of VSS",
        "One object a line, signal → value, as the signals stand when a segment has ended. Standard "
        "signals are those of COVESA's Vehicle Signal Specification 6; the others are declared by the "
        "overlay `driveaway/fleet/doors/driveaway.vspec`, for vss-tools. Where a column has both, the "
        "overlay's is taken. Other signals of the standard are passed over.",
        table(
            ("column", "standard", "overlay"),
            (
                (code(name), code(VSS.get(name, "")), code(OVERLAY.get(name, "")))
                for name in dict.fromkeys((*VSS, *OVERLAY))
            ),
        ),
        "## Telemetry",
        'Messages `{"data": [{"key", "value"}], "created_at", "vin"}`, one a line. A value stands by '
        "itself or in an object that names its type. `CruiseState` counts as a function where "
        "`--cruise-as` names it; `Location` is an object of `latitude` and `longitude`. Keys that are not "
        "listed are passed over.",
        table(("key", "is"), ((code(key), code(name)) for key, (name, _) in KEYS.items())),
        prose(assembly.__doc__),
    )

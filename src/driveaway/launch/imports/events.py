"""NDJSON: one JSON object a line, a CloudEvents 1.0 event in structured mode, or a plain fact.

A line may also hold a list of them (a batch). An event is recorded under its source and id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import msgspec

from driveaway.facts import Draft, Kind, kind_named
from driveaway.facts.base import Body
from driveaway.facts.wording import wrong
from driveaway.launch.imports.encodings import Encoding, encoding_of
from driveaway.launch.imports.identifiers import Subjects
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.lines import blocks
from driveaway.launch.imports.problems import Problem, shortened
from driveaway.launch.imports.rows import Cells, Proposal, Proposals, Rows
from driveaway.launch.imports.shaping import check_source, content_source
from driveaway.launch.imports.times import Times
from driveaway.values.errors import BadValue, DriveawayError

TYPE_PREFIX = "driveaway."
# Sources of the book that are no CloudEvents source and id: exported under this one.
WHOLE_SOURCE = "urn:driveaway:source"

_NOTHING = msgspec.Raw(b"{}")


class _Line(msgspec.Struct, kw_only=True, gc=False):
    """What is read of an event or a fact; other attributes are extensions, and passed over."""

    specversion: str | None = None
    type: str | None = None
    kind: str | None = None
    source: str | None = None
    id: str | None = None
    subject: str | None = None
    time: str | None = None
    happened: str | None = None
    datacontenttype: str | None = None
    data_base64: str | None = None
    data: msgspec.Raw = _NOTHING
    body: msgspec.Raw = _NOTHING
    sequence: str | None = None
    simulated: bool = False
    replaces: str = ""
    version: int | None = None
    driveawayreplaces: str = ""
    driveawaysimulated: bool | None = None
    driveawayversion: int | None = None


_line = msgspec.json.Decoder(_Line)
_lines = msgspec.json.Decoder(list[msgspec.Raw])
_any = msgspec.json.Decoder()
_bodies: dict[str, msgspec.json.Decoder[Body]] = {}


class Events:
    """Converts the lines of an NDJSON file.

    Attributes:
        notes: what was assumed.
        in_sequence: the events carry the order in which a book recorded them.
    """

    def __init__(
        self, stream: IO[bytes], limits: Limits, subjects: Subjects, times: Times, kind: str | None
    ) -> None:
        """``kind``: of lines that do not say theirs."""
        peek = getattr(stream, "peek", None)
        assert peek is not None
        sample: bytes = peek(4)[:4]
        encoding = (
            encoding_of(sample, None)
            if sample.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
            else Encoding("utf-8")
        )
        self._blocks = blocks(stream, encoding, limits)
        self._subjects, self._times = subjects, times
        self._kind = None if kind is None else kind_named(kind)
        self.notes: list[str] = []
        self.in_sequence = False

    def lines(self, size: int) -> Iterator[tuple[list[tuple[int, str]], list[Problem]]]:
        """The lines that say something, with their numbers, and those that cannot be read."""
        for block in self._blocks:
            problems = [Problem.of(n, "", shown, error) for n, (error, shown) in block.errors.items()]
            found = [
                (n, line)
                for n, line in enumerate(block.lines, block.first)
                if line is not None and line.strip()
            ]
            for start in range(0, max(len(found), 1), size):
                yield found[start : start + size], problems if start == 0 else []

    def proposals(self, size: int) -> Iterator[Proposals]:
        """What the lines ask for, about ``size`` lines at a time."""
        for found, problems in self.lines(size):
            facts: list[Proposal] = []
            for number, line in found:
                try:
                    if line.lstrip()[0] == "[":
                        facts.extend([self._fact(number, bytes(raw)) for raw in _lines.decode(line)])
                    else:
                        facts.append(self._fact(number, line.encode()))
                except RecursionError:
                    problems.append(_too_deep(number, line))
                except msgspec.ValidationError as error:
                    problems.append(_misshapen(number, line, error))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    problems.append(_no_json(number, line))
                except DriveawayError as error:
                    problems.append(Problem.of(number, error.place, line, error))
            read = {number for number, _ in found}
            lines = [*read, *(problem.line for problem in problems if problem.line not in read)]
            yield Proposals(lines, facts, problems, [], self.in_sequence)

    def rows(self, size: int) -> Iterator[Rows]:
        """The lines as rows for a mapping; the keys of inner objects are joined by dots."""
        for found, problems in self.lines(size):
            objects: list[tuple[int, dict[str, Any]]] = []
            for number, line in found:
                try:
                    content = _any.decode(line)
                    for one in content if isinstance(content, list) else [content]:
                        if not isinstance(one, dict):
                            raise msgspec.DecodeError("expected an object")
                        objects.append((number, dict(_flat(one))))
                except RecursionError:
                    problems.append(_too_deep(number, line))
                except msgspec.DecodeError:
                    problems.append(_no_json(number, line))
            names = dict.fromkeys(name for _, one in objects for name in one)
            yield Rows(
                [n for n, _ in objects],
                Cells({name: [one.get(name) for _, one in objects] for name in names}),
                problems,
            )

    def _fact(self, number: int, raw: bytes) -> Proposal:
        line = _line.decode(raw)
        if line.specversion is None and line.type is None:
            return self._plain(number, line)
        if line.specversion != "1.0":
            raise BadValue(
                f"specversion is {line.specversion!r}, not '1.0'", code="event.version", place="specversion",
                remedy="CloudEvents 1.0 in structured mode",
            )  # fmt: skip
        if not line.id or not line.source or not line.type:
            raise BadValue(
                "an event has an id, a source and a type", code="event.incomplete", remedy="CloudEvents 1.0"
            )
        if not line.type.startswith(TYPE_PREFIX):
            raise BadValue(
                f"{line.type!r} is not a kind of fact", code="kind.unknown", place="type",
                remedy="the type is driveaway. and a kind, such as driveaway.order.locked; or use a mapping",
            )  # fmt: skip
        if line.data_base64 is not None:
            raise BadValue(
                "the data is binary", code="event.data", place="data_base64", remedy="give JSON in `data`"
            )
        if line.datacontenttype is not None and "json" not in line.datacontenttype:
            raise BadValue(
                f"the data is {line.datacontenttype}",
                code="event.data",
                place="datacontenttype",
                remedy="application/json",
            )
        if line.sequence:
            self.in_sequence = True
        kind = self._kind_of(line.type.removeprefix(TYPE_PREFIX))
        source = line.id if line.source == WHOLE_SOURCE else f"{line.source}/{line.id}"
        simulated = line.driveawaysimulated or False
        return self._made(
            number,
            kind,
            line,
            line.data,
            line.time,
            source,
            simulated,
            line.driveawayreplaces,
            line.driveawayversion,
        )

    def _plain(self, number: int, line: _Line) -> Proposal:
        if line.kind is None and self._kind is None:
            raise BadValue(
                "neither a CloudEvents event nor a fact", code="event.shape",
                remedy='a fact has "kind", "subject", "happened" and "body"; an event what CloudEvents says',
            )  # fmt: skip
        kind = self._kind if line.kind is None and self._kind else self._kind_of(line.kind or "")
        source = line.source or ""
        if line.id:
            source = f"{source or 'urn:driveaway:import:' + self._subjects.namespace}/{line.id}/{kind.name}"
        happened = line.happened or line.time
        return self._made(
            number,
            kind,
            line,
            line.data if line.body is _NOTHING else line.body,
            happened,
            source,
            line.simulated,
            line.replaces,
            line.version,
        )

    def _kind_of(self, name: str) -> Kind:
        kind = kind_named(name)
        if self._kind is not None and kind is not self._kind:
            raise BadValue(
                f"the line is {name}, and --kind says {self._kind.name}", code="kind.other", place="kind",
                remedy="leave --kind out to take each line's own kind",
            )  # fmt: skip
        return kind

    def _made(
        self, number: int, kind: Kind, line: _Line, raw: msgspec.Raw, time: str | None, source: str,
        simulated: bool, replaces: str, version: int | None,
    ) -> Proposal:  # fmt: skip
        if not line.subject:
            raise BadValue(
                "there is no subject",
                code="subject.missing",
                place="subject",
                remedy="say what the fact is about",
            )
        try:
            subject, foreign = self._subjects.read(kind.subject, line.subject)
        except BadValue as error:
            raise error.at("subject") from error.__cause__
        if not 0 < len(line.subject) <= 200 or not line.subject.isprintable():
            raise BadValue(
                "the subject is too long or not plain text", code="subject.long", place="subject",
                remedy="at most 200 characters, none of them a control character",
            )  # fmt: skip
        try:
            at = self._times.read(time)
        except BadValue as error:
            raise error.at("time") from error.__cause__
        content = bytes(raw)
        if rb"\u0000" in content:
            raise BadValue(
                "a text holds a NUL character", code="text.control", place="data", remedy="remove it"
            )
        if version is None or version == kind.version:
            decoder = _bodies.get(kind.name)
            if decoder is None:
                decoder = _bodies[kind.name] = msgspec.json.Decoder(kind.body)
            try:
                body = decoder.decode(content)
            except msgspec.ValidationError as error:
                said = kind.wrong(error)
                raise BadValue(
                    said.message, code="event.shape", place=said.field, remedy=said.remedy
                ) from error
        else:
            body = kind.read(version, _any.decode(content))
        if foreign is not None and getattr(body, "foreign_id", foreign) is None:
            body = msgspec.structs.replace(body, foreign_id=foreign)
        body = self._linked(body)
        if not source:
            source = content_source(kind.name, subject, at, body, replaces)
        draft = Draft(kind.name, subject, at, body, check_source(source), None, simulated)
        return Proposal(draft, number, line.subject, replaces)

    def _linked(self, body: Body) -> Body:
        """Identifiers inside the body, read as the subject is."""
        changes: dict[str, str] = {}
        order, vin = getattr(body, "order", None), getattr(body, "vin", None)
        if order is not None and (read := self._subjects.order(order)[0]) != order:
            changes["order"] = read
        if vin is not None and (car := self._subjects.read("vin", vin)[0]) != vin:
            changes["vin"] = car
        return msgspec.structs.replace(body, **changes) if changes else body


def _too_deep(number: int, line: str) -> Problem:
    return Problem(
        number, "", shortened(line), "event.json", "brackets within brackets, too deep", "flatten the object"
    )


def _flat(content: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _no_json(number: int, line: str) -> Problem:
    return Problem(
        number, "", shortened(line), "event.json", "the line is not a JSON object", "write one object a line"
    )


def _misshapen(number: int, line: str, error: msgspec.ValidationError) -> Problem:
    """An attribute of the event or the fact that is of another type; bodies have words of their own."""
    said = wrong(Body, error)
    column = _column(str(error)) or said.field
    return Problem(
        number, column, shortened(line), "event.shape", said.message, said.remedy or "CloudEvents 1.0"
    )


def _column(message: str) -> str:
    _, found, path = message.rpartition("`$.")
    return path.rstrip("`") if found else ""

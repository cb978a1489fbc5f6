"""Software updates: releases and cars that run them, rollouts that stopped, functions and their cities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import exp
from typing import Any

from driveaway import plots
from driveaway.briefing import texts
from driveaway.briefing.asking import Desk, Evidence, recompute_functions
from driveaway.briefing.fleet import Fleet, FunctionTold, PlaceTold
from driveaway.briefing.statement import Exhibit, Section, Sentence, Words, Writer
from driveaway.facts.base import Fact
from driveaway.facts.updates import Finding, ReleasePublished, ReleaseWithdrawn, RolloutDecided
from driveaway.plots.places import Row
from driveaway.plots.rollout import Decided
from driveaway.values import clock

_MOST_ODDS = 1_000_000


def updates(writer: Writer) -> Section | None:
    """What was released, how rollouts went, and which functions cars have; None where there is nothing."""
    desk = writer.desk
    published = desk.facts("release.published")
    functions = desk.fleet.functions() if desk.fleet is not None else ()
    if not published and not functions:
        return None
    rollouts = _rollouts(desk)
    sentences = [
        *_releases(writer, published, {each.name: each.title for each in functions}),
        *(said for facts in rollouts.values() for said in _rollout(writer, facts)),
        *(said for function in functions for said in _function(writer, function)),
    ]
    if desk.known_until is not None:
        key = "sentence.updates.cars"
        sentences.append(writer.plain(key, texts.both(key, day=desk.known_until.isoformat())))
    exhibits = [
        *(
            _stopped(writer, desk.fleet, name, facts)
            for name, facts in rollouts.items()
            if desk.fleet is not None and _stop(facts) is not None
        ),
        *(_places(writer, function) for function in functions if function.places),
    ]
    made = tuple(exhibit for exhibit in exhibits if exhibit is not None)
    return Section("updates", texts.both("section.updates"), tuple(sentences), made)


# --- releases and rollouts ------------------------------------------------------------------------


def _releases(writer: Writer, published: Sequence[Fact], titles: Mapping[str, Words]) -> Iterator[Sentence]:
    """Each release, what it carries, and on how many cars it runs."""
    desk = writer.desk
    if not published:
        return
    running, delivered = desk.ask("updates.installed", by=("release",)), desk.ask("cars.delivered")
    cars = {str(row["release"]): row["value"] for row in running.rows}
    withdrawn = {fact.subject: fact for fact in desk.facts("release.withdrawn")}
    for fact in published:
        assert isinstance(fact.body, ReleasePublished)
        gone = withdrawn.get(fact.subject)
        names = [name.replace("-", "_") for name in fact.body.functions]
        functions = {
            language: texts.Texts(language)("list.separator").join(_short(n, titles, language) for n in names)
            or "–"
            for language in texts.LANGUAGES
        }
        yield writer.say(
            "sentence.updates.release" if gone is None else "sentence.updates.withdrawn",
            running,
            delivered,
            release=fact.subject,
            functions=functions,
            day=_day(desk, fact.happened),
            withdrawn=_day(desk, gone.happened) if gone is not None else "",
            reason=gone.body.reason if gone is not None and isinstance(gone.body, ReleaseWithdrawn) else "",
            value=cars.get(fact.subject, 0),
            delivered=delivered.answer.value,
        )


def _rollouts(desk: Desk) -> dict[str, list[Fact]]:
    """The decisions of each rollout, in order."""
    out: dict[str, list[Fact]] = {}
    for fact in desk.facts("rollout.decided"):
        out.setdefault(fact.subject, []).append(fact)
    return out


def _stop(facts: Sequence[Fact]) -> Fact | None:
    """The decision by which a rollout stopped itself."""
    return next(
        (
            fact
            for fact in facts
            if isinstance(fact.body, RolloutDecided)
            and fact.body.decision in ("paused", "aborted")
            and fact.body.decided_by is None
        ),
        None,
    )


def _rollout(writer: Writer, facts: Sequence[Fact]) -> Iterator[Sentence]:
    """How a rollout went; the numbers that stopped it, where it stopped itself."""
    desk = writer.desk
    asked = desk.ask("updates.rollout_state")
    last, stop = facts[-1], _stop(facts)
    body = last.body
    assert isinstance(body, RolloutDecided)
    values: dict[str, Any] = {"rollout": last.subject, "release": body.release}
    if stop is not None and isinstance(stop.body, RolloutDecided):
        why = {
            language: texts.Texts(language)("list.semicolon").join(
                said[language] for said in map(_why, stop.body.findings) if said is not None
            )
            for language in texts.LANGUAGES
        }
        yield writer.say(
            "sentence.updates.stopped", asked, **values, at=clock.show(stop.happened, desk.zone),
            value=stop.body.opened, cars=stop.body.cars, why=why,
        )  # fmt: skip
    if body.decision == "aborted" and last is not stop:
        yield writer.say(
            "sentence.updates.ended", asked, **values, at=clock.show(last.happened, desk.zone),
            by=body.decided_by or "–", reason=body.reason or "–",
        )  # fmt: skip
    elif body.decision == "finished":
        yield writer.say(
            "sentence.updates.finished", asked, **values, day=_day(desk, last.happened),
            value=body.succeeded, cars=body.cars,
        )  # fmt: skip
    elif stop is None:
        opened = max((f.body.opened for f in facts if isinstance(f.body, RolloutDecided)), default=0)
        cars = max((f.body.cars for f in facts if isinstance(f.body, RolloutDecided)), default=0)
        yield writer.say(
            "sentence.updates.under_way", asked, **values, day=_day(desk, last.happened), value=opened,
            cars=cars,
        )  # fmt: skip


def _why(finding: Finding) -> Words | None:
    """What a finding says that stops a rollout; None where it does not."""
    if finding.verdict in ("clear", "hold"):
        return None
    odds = {
        "odds": min(round(exp(min(finding.log_e or 0.0, 30.0))), _MOST_ODDS),
        "needed": round(exp(finding.needed_log_e or 0.0)),
    }
    if finding.kind == "install":
        return texts.both(
            "sentence.updates.why.install", events=finding.events, sample=finding.sample,
            threshold=finding.threshold or 0.0, **odds,
        )  # fmt: skip
    if finding.kind == "combined":
        highest = min(round(exp(min(finding.highest_log_e or 0.0, 30.0))), _MOST_ODDS)
        return texts.both("sentence.updates.why.evidence", **odds | {"odds": highest})
    if finding.kind in ("safety", "rate", "threshold"):
        return {"en": finding.text, "zh": finding.text}
    return None


def _stopped(writer: Writer, fleet: Fleet, name: str, facts: Sequence[Fact]) -> Exhibit | None:
    """The picture of a rollout that stopped itself, with its decisions as a table."""
    words, zone = writer.words, writer.desk.zone
    story = fleet.story(name)
    if story is None:
        return None
    decided = [fact for fact in facts if isinstance(fact.body, RolloutDecided)]
    rows = []
    for fact in decided:
        body = fact.body
        assert isinstance(body, RolloutDecided)
        counted = body.cars > 0
        rows.append(
            (
                words.number(clock.show(fact.happened, zone), "moment"),
                words(f"plot.rollout.decision.{body.decision}"),
                *(
                    words.number(value, "count") if counted else "–"
                    for value in (body.opened, body.succeeded, body.failed + body.silent)
                ),
                body.decided_by or words("updates.own_rule"),
            )
        )
    return Exhibit(
        id=f"rollout-{name}".replace(".", "-"),
        picture=plots.rolled_out(
            story,
            [Decided(fact.happened, fact.body.decision) for fact in decided],  # type: ignore[attr-defined]
            words,
            title=words("plot.title.updates.rollout", rollout=name),
            zone=zone,
            simulated=any(fact.simulated for fact in facts),
        ),
        columns=tuple(
            words(f"column.{c}") for c in ("time", "decision", "opened", "succeeded", "failed", "by")
        ),
        rows=tuple(rows),
        evidence=(writer.desk.ask("updates.rollout_state").evidence,),
    )


# --- functions ------------------------------------------------------------------------------------


def _function(writer: Writer, function: FunctionTold) -> Iterator[Sentence]:
    """How many cars may switch it on and have; where its gate names places, which from when."""
    whole = function.whole
    key = "sentence.updates.function" if whole.active is not None else "sentence.updates.function_unknown"
    key = key if function.open else "sentence.updates.function_closed"
    text = texts.both(
        key,
        title={**function.title, "en": function.title["en"][:1].upper() + function.title["en"][1:]},
        eligible=whole.eligible,
        equipped=whole.equipped,
        delivered=whole.delivered,
        value=whole.active or 0,
    )
    yield writer.plain(key, text, [_evidence(writer.desk, function)])
    if function.openings:
        key = "sentence.updates.openings"
        title = {
            language: _short(function.name, {function.name: function.title}, language)
            for language in texts.LANGUAGES
        }
        steps = {language: _steps(writer.desk, function, language) for language in texts.LANGUAGES}
        yield writer.plain(key, texts.both(key, title=title, steps=steps), [_evidence(writer.desk, function)])


def _steps(desk: Desk, function: FunctionTold, language: str) -> str:
    said = texts.Texts(language)
    return said("list.semicolon").join(
        said(
            f"sentence.updates.opening_{'in' if step.places else 'all'}",
            places=said("list.separator").join(place[language] for place in step.places),
            day=_day(desk, step.at),
        )
        for step in function.openings
    )


def _places(writer: Writer, function: FunctionTold) -> Exhibit:
    """The cities that a function's gate names, and all others, which come last."""
    words = writer.words
    language = words.language

    def count(place: PlaceTold, value: int | None) -> str:
        return words("headline.unknown") if value is None else words.number(value, "count")

    rows = [
        Row(place.name[language], place.equipped, place.eligible, place.active, number < len(function.places))
        for number, place in enumerate(function.places, 1)
    ]
    title = _short(function.name, {function.name: function.title}, language)
    return Exhibit(
        id=f"function-{function.name}".replace("_", "-"),
        picture=plots.by_place(
            rows,
            words,
            title=words("plot.title.updates.places", title=title[:1].upper() + title[1:]),
            simulated=function.simulated,
        ),
        columns=tuple(words(f"column.{c}") for c in ("place", "delivered", "equipped", "eligible", "active")),
        rows=tuple(
            (
                place.name[language],
                *(
                    count(place, value)
                    for value in (place.delivered, place.equipped, place.eligible, place.active)
                ),
            )
            for place in function.places
        ),
        evidence=(_evidence(writer.desk, function, "place"),),
    )


def _evidence(desk: Desk, function: FunctionTold, by: str | None = None) -> Evidence:
    """What counts the cars of a function: a command, not a figure on facts."""
    return Evidence(
        figure=f"functions show {function.name}",
        title=texts.both("updates.eligible")["en"],
        title_zh=texts.both("updates.eligible")["zh"],
        definition=texts.both("updates.eligible_definition")["en"],
        version=1,
        unit="cars",
        arguments={},
        by=() if by is None else (by,),
        value=function.whole.eligible if by is None else None,
        interval=None,
        unknown=None,
        note=None,
        as_of=clock.show(desk.asker.as_of, desk.zone),
        mark=desk.asker.mark,
        simulated=function.simulated,
        recompute=recompute_functions(desk.asker, function.name, by),
    )


def _short(name: str, titles: Mapping[str, Words], language: str) -> str:
    """A function's name in words; in English without what is said of it in brackets."""
    title = titles.get(name)
    return name.replace("_", " ") if title is None else title[language].partition(" (")[0]


def _day(desk: Desk, at: int) -> str:
    return clock.local_day(at, desk.zone).isoformat()

"""Orders and deliveries over time."""

from __future__ import annotations

from dataclasses import replace

from driveaway import plots
from driveaway.briefing import texts
from driveaway.briefing.asking import Asked
from driveaway.briefing.statement import Exhibit, Section, Sentence, Writer


def orders(writer: Writer) -> Section:
    """Firm orders and handovers by day, cancellations, and how long buyers waited."""
    desk, words = writer.desk, writer.words
    locked = desk.ask("orders.locked_per_day")
    delivered = desk.ask("cars.delivered_per_day")
    wait = desk.ask("orders.wait_days")
    locked, delivered = _known(writer, locked), _known(writer, delivered)
    sentences = [
        *_stale(writer, locked, delivered),
        *_by_day(writer, "orders.locked_per_day", locked),
        *_by_day(writer, "cars.delivered_per_day", delivered),
        writer.say("sentence.orders.cancelled", desk.ask("orders.cancelled")),
        _wait(writer, wait),
    ]
    # Both pictures span the same days, so that they can be read side by side.
    days = sorted(
        {str(row["day"]) for asked in (locked, delivered) for row in plots.ended_days(asked.answer)}
    )
    exhibits = [
        Exhibit(
            id=name.replace(".", "-").replace("_", "-"),
            picture=plots.per_day(
                asked.answer, words, title=words(f"plot.title.{name}"), second=second, days=days
            ),
            columns=(words("column.day"), words("column.per_day"), words("column.cumulative")),
            rows=tuple(
                (
                    words.number(str(row["day"]), "day")
                    + ("" if row.get("complete", True) else words("column.not_ended")),
                    words.number(row["value"] or 0, "count"),
                    words.number(row["cumulative"], "count"),
                )
                for row in asked.rows
            ),
            evidence=(asked.evidence,),
        )
        for name, asked, second in (
            ("orders.locked_per_day", locked, False),
            ("cars.delivered_per_day", delivered, True),
        )
        if asked.rows
    ]
    return Section("orders", texts.both("section.orders"), tuple(sentences), tuple(exhibits))


def _known(writer: Writer, asked: Asked) -> Asked:
    """Without the days that the book says nothing about: zeros would read as if nothing had happened."""
    until = writer.desk.known_until
    if until is None or asked.answer.rows is None:
        return asked
    rows = [row for row in asked.rows if str(row["day"]) <= until.isoformat()]
    return replace(asked, answer=replace(asked.answer, rows=rows))


def _stale(writer: Writer, *asked: Asked) -> list[Sentence]:
    """That the book ends before the as-of."""
    until = writer.desk.known_until
    if until is None:
        return []
    simulated = any(each.answer.simulated for each in asked)
    key = "sentence.orders.stale_simulated" if simulated else "sentence.orders.stale"
    days = (writer.desk.today - until).days
    text = texts.both(key, day=until.isoformat(), n=days)
    return [writer.plain(key, text, [each.evidence for each in asked], known=False)]


def _by_day(writer: Writer, name: str, asked: Asked) -> list[Sentence]:
    if asked.unknown is not None:
        return [writer.say(f"sentence.{name}", asked)]
    rows = [row for row in asked.rows if row["value"]]
    if not rows:
        return [writer.say(f"sentence.{name}.none", asked)]
    peak = max(rows, key=lambda row: row["value"])
    # A day that has not ended is no day among the last seven.
    ended = [row for row in asked.rows if row.get("complete", True)]
    if not ended:
        total = sum(row["value"] for row in rows)
        return [writer.say(f"sentence.{name}.begun", asked, day=str(rows[0]["day"]), n=total)]
    week = ended[-7:]
    return [
        writer.say(
            f"sentence.{name}.peak" if writer.desk.known_until is None else f"sentence.{name}.peak_until",
            asked,
            last_day=str(week[-1]["day"]),
            first_day=str(rows[0]["day"]),
            peak_day=str(peak["day"]),
            peak=peak["value"],
            n=len(week),
            last=sum(row["value"] or 0 for row in week),
        )
    ]


def _wait(writer: Writer, asked: Asked) -> Sentence:
    by_quantile = {round(float(row["quantile"]), 4): row["value"] for row in asked.rows if "quantile" in row}
    median = by_quantile.get(0.5)
    if asked.unknown is not None or median is None:
        return writer.say("sentence.orders.wait_days", asked)
    quantiles = sorted(q for q in by_quantile if q != 0.5)
    low = max((q for q in quantiles if q < 0.5 and round(1 - q, 4) in quantiles), default=None)
    if low is None:
        return writer.say("sentence.orders.wait_days.median", asked, median=median)
    high = round(1 - low, 4)
    return writer.say(
        "sentence.orders.wait_days.range",
        asked,
        median=median,
        low=by_quantile[low],
        high=by_quantile[high],
        share=high - low,
    )

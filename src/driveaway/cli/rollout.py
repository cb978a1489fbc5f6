"""Commands about rollouts: plan, approve, start, list, show, watch, pause, resume, abort, retry and more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driveaway.cli.options import by_option, format_option, launch_option, opened, time_option
from driveaway.cli.output import print_json, print_rows
from driveaway.cli.release_resolving import tell_passed_over

if TYPE_CHECKING:
    from driveaway.launch.launch import Launch


def _at(launch: Launch, at: str | None) -> int:
    from driveaway.values.clock import now

    return now() if at is None else launch.parse_time(at)


@click.group("rollout")
def rollout() -> None:
    """Roll a release out in waves that stop themselves.

    A running worker (driveaway serve worker) enters the cars, decides and opens wave after wave.
    """


@rollout.command("plan")
@click.argument("name")
@click.option("--release", required=True, metavar="NAME:VERSION", help="What is rolled out.")
@click.option("--filter", "query", default="controllerid==*", show_default=True, metavar="RSQL",
              help="Which cars.")  # fmt: skip
@click.option("--plan", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The plan as TOML; other options go before it.")  # fmt: skip
@click.option("--stages", metavar="1,5,20,50,100",
              help="Growth: percentages of the cars outside the holdout, stage by stage; 5 and 5% are the"
              " same, and below 1 the sign is needed: 0.5%.")  # fmt: skip
@click.option("--hold", metavar="24h", help="With --stages or --cities: each lasts so long; default: 24h.")
@click.option("--rate", metavar="100/hour", help="Growth: so many cars an hour or a day.")
@click.option("--exponential", metavar="10x2/1000",
              help="Growth: 10 cars a minute, doubled each 1,000 successes.")  # fmt: skip
@click.option("--cities", metavar="CITY,CITY+CITY", help="Growth: city by city, by the cars' attribute city.")
@click.option("--holdout", metavar="PERCENT",
              help="Percentage of the cars that stays behind as a control; default: 5%.")  # fmt: skip
@click.option("--purpose", type=click.Choice(["feature", "quality", "security", "recall"]),
              help="Nobody is held back from the last two.")  # fmt: skip
@click.option("--type", "kind", type=click.Choice(["soft", "forced", "downloadonly"]), help="How urgently.")
@click.option("--weight", type=click.IntRange(0, 1000), help="Of several rollouts a car sees the heaviest.")
@click.option("--night", metavar="22:00-06:00", help="Install only at these hours, where the car is.")
@click.option("--retries", type=click.IntRange(0, 10), help="Further tries of a car that failed.")
@click.option("--install-at", metavar="TIME", help="Cars download at once; waves install from then on.")
@click.option("--needs-approval", is_flag=True, help="Somebody else approves it before it starts.")
@click.option("--start-at", metavar="TIME", help="The worker starts it then.")
@click.option("--description", default="", help="For people.")
@by_option
@time_option
@format_option("table", "json")
@launch_option
def plan(
    name: str, release: str, query: str, file: Path | None, stages: str | None, hold: str | None,
    rate: str | None, exponential: str | None, cities: str | None, holdout: str | None,
    purpose: str | None, kind: str | None, install_at: str | None,
    weight: int | None, night: str | None, retries: int | None, needs_approval: bool, start_at: str | None,
    description: str, by: str, at: str | None, shape: str, folder: str | None, book_url: str | None,
) -> None:  # fmt: skip
    """Plan how a release is rolled out; nothing is offered yet."""
    from driveaway.launch.updates import planning, resolving, rolling
    from driveaway.updates.configuration import Configuration
    from driveaway.values.clock import moment

    if hold is not None and stages is None and cities is None:
        raise click.UsageError("--hold says how long each of --stages or --cities lasts; give one of them.")
    lasting = planning.duration(hold or "24h", "hold")
    growth = []
    if stages is not None:
        growth.append(planning.stages(stages, lasting))
    if rate is not None:
        growth.append(planning.rate(rate))
    if exponential is not None:
        growth.append(planning.exponential(exponential))
    if cities is not None:
        growth.append(planning.cities(cities, lasting))
    with opened(folder, book_url) as launch:
        made = planning.plan_of(
            launch.description.zone,
            file=file,
            growth=growth,
            night=night,
            holdout=None if holdout is None else planning.holdout(holdout),
            purpose=purpose,
            type=kind,
            weight=weight,
            retries=retries,
            install_at=None if install_at is None else moment(launch.parse_time(install_at), launch.zone),
        )
        approval = needs_approval or Configuration(launch.state).enabled("rollout.approval.enabled")
        planned = rolling.plan_rollout(
            launch,
            name,
            release,
            query,
            made,
            _at(launch, at),
            by=by,
            description=description,
            approval=approval,
            start_at=None if start_at is None else launch.parse_time(start_at),
        )
        found = resolving.told_resolution(launch.state, planned.distribution_set, query, _at(launch, at))
        if shape == "json":
            told = rolling.told(launch, planned) | {"plan": rolling.told_plan(planned)}
            print_json(told | {"cars_by_verdict": found["verdicts"]})
            return
        click.echo(f"{planned.name}: {planned.status.value.replace('_', ' ')}")
        print_rows(rolling.told_groups(launch, planned, _at(launch, at)))
        tell_passed_over(found, release)


def _acting(name: str, text: str, *, reason: bool) -> Callable[[Callable[..., str]], click.Command]:
    """A command that does one thing to a rollout and says what came of it."""

    def made(work: Callable[..., str]) -> click.Command:
        @click.argument("name")
        @by_option
        @time_option
        @launch_option
        def command(
            name: str, by: str, at: str | None, folder: str | None, book_url: str | None, **more: Any
        ) -> None:
            with opened(folder, book_url) as launch:
                click.echo(work(launch, name, _at(launch, at), by=by, **more))

        command.__doc__ = text
        if reason:
            command = click.option("--reason", required=True, help="Why: it stays with the decision.")(
                command
            )
        return rollout.command(name)(command)

    return made


@rollout.command("approve")
@click.argument("name")
@click.option("--deny", metavar="REASON", help="Deny it instead.")
@by_option
@time_option
@launch_option
def approve(
    name: str, deny: str | None, by: str, at: str | None, folder: str | None, book_url: str | None
) -> None:
    """Approve a rollout that somebody else planned."""
    from driveaway.launch.updates import rolling

    with opened(folder, book_url) as launch:
        rolling.approve(launch, name, _at(launch, at), by=by, denied=deny)
    click.echo(f"{name}: {'ready' if deny is None else 'approval denied'}")


def _start(launch: Launch, name: str, at: int, *, by: str) -> str:
    from driveaway.launch.updates import resolving, rolling
    from driveaway.updates.rollouts import keeping

    rolling.start(launch, name, at, by=by)
    started = keeping.find_rollout(launch.state, name)
    found = resolving.told_resolution(launch.state, started.distribution_set, started.filter, at)
    tell_passed_over(found, rolling.told(launch, started)["release"])
    return f"{name}: running; the worker opens its first wave"


def _pause(launch: Launch, name: str, at: int, *, by: str, reason: str) -> str:
    from driveaway.launch.updates import rolling

    rolling.pause(launch, name, at, by=by, reason=reason)
    return f"{name}: paused; what no car had begun is taken back"


def _resume(launch: Launch, name: str, at: int, *, by: str, reason: str) -> str:
    from driveaway.launch.updates import rolling

    rolling.resume(launch, name, at, by=by, reason=reason)
    return f"{name}: running; what was found until now is cleared"


def _abort(launch: Launch, name: str, at: int, *, by: str, reason: str) -> str:
    from driveaway.launch.updates import rolling

    concerned = rolling.abort(launch, name, at, by=by, reason=reason)
    return f"{name}: stopped; {concerned:,} open actions are cancelled"


def _retry(launch: Launch, name: str, at: int, *, by: str) -> str:
    from driveaway.launch.updates import rolling

    cars = rolling.retry(launch, name, at, by=by)
    return f"{name}: {cars:,} cars that failed are asked again; their first try stays the evidence"


start = _acting("start", "Start a rollout that is ready.", reason=False)(_start)
pause = _acting("pause", "Offer nothing more until it is resumed.", reason=True)(_pause)
resume = _acting("resume", "Go on after a pause: what was found is cleared.", reason=True)(_resume)
abort = _acting("abort", "End a rollout for good and cancel what is open.", reason=True)(_abort)
retry = _acting("retry", "Ask cars again that failed.", reason=False)(_retry)


@rollout.command("install")
@click.argument("name")
@click.option("--type", "kind", type=click.Choice(["soft", "forced"]), default="soft", show_default=True,
              help="How urgently.")  # fmt: skip
@click.option("--car", "cars", multiple=True, metavar="VIN", help="This car only. Repeatable.")
@by_option
@time_option
@launch_option
def install(
    name: str,
    kind: str,
    cars: tuple[str, ...],
    by: str,
    at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Have the cars install what a rollout of type downloadonly had them download, at once.

    For waves of installing, plan a rollout of the same release: cars that hold it fetch nothing again.
    """
    from driveaway.launch.updates.installing import install_downloaded
    from driveaway.updates.model import ActionType

    with opened(folder, book_url) as launch:
        asked = install_downloaded(launch, name, _at(launch, at), by=by, kind=ActionType(kind), only=cars)
    unfit = f"; {asked.unfit:,} hold it and it does not fit them any more" if asked.unfit else ""
    click.echo(f"{name}: {asked.cars:,} cars are asked to install what they hold{unfit}")


@rollout.command("list")
@format_option("table", "json")
@launch_option
def listing(shape: str, folder: str | None, book_url: str | None) -> None:
    """List the rollouts and how far they are."""
    from driveaway.launch.updates import rolling
    from driveaway.updates.rollouts import keeping

    with opened(folder, book_url) as launch:
        rows = [rolling.told(launch, each) for each in keeping.all_rollouts(launch.state)]
    if shape == "json":
        print_json({"rows": rows})
        return
    shown = (
        "name",
        "status",
        "release",
        "rule",
        "cars",
        "opened",
        "succeeded",
        "failed",
        "silent",
        "fallback",
    )
    if not rows:
        click.echo("nothing yet: driveaway rollout plan", err=True)
        return
    print_rows([{key: row[key] for key in shown} for row in rows])


@rollout.command("show")
@click.argument("name")
@time_option
@format_option("table", "json")
@launch_option
def show_one(name: str, at: str | None, shape: str, folder: str | None, book_url: str | None) -> None:
    """Show one rollout: its plan, how it stands, what it waits for, and when waves open at the earliest."""
    from driveaway.cli.watching import standing_lines
    from driveaway.launch.updates import rolling
    from driveaway.updates.rollouts import keeping

    with opened(folder, book_url) as launch:
        found = keeping.find_rollout(launch.state, name)
        told = rolling.told(launch, found)
        rows = rolling.told_groups(launch, found, _at(launch, at))
        if shape == "json":
            print_json(told | {"plan": rolling.told_plan(found), "groups": rows})
            return
    for line in standing_lines(told):
        click.echo(line)
    print_rows(rows)


@rollout.command("watch")
@click.argument("name")
@click.option("--every", default=5.0, show_default=True, type=click.FloatRange(min=0.2), help="Seconds.")
@click.option("--once", is_flag=True, help="Say it once.")
@launch_option
def watch(name: str, every: float, once: bool, folder: str | None, book_url: str | None) -> None:
    """Watch a rollout until it ends or Ctrl-C is pressed."""
    from driveaway.cli.watching import watch_rollout

    with opened(folder, book_url) as launch:
        watch_rollout(launch, name, every, once=once)


@rollout.command("explain")
@click.argument("named", nargs=-1, required=True, metavar="[NAME] VIN")
@time_option
@format_option("table", "json")
@launch_option
def explain(
    named: tuple[str, ...], at: str | None, shape: str, folder: str | None, book_url: str | None
) -> None:
    """Say why a car does, or does not, get what is rolled out: by one rollout, or by all of them.

    Whether it may switch a function on is another question: driveaway functions why.
    """
    from driveaway.launch.updates import explaining

    if len(named) > 2:
        raise click.UsageError("Name a car, or a rollout and a car.")
    vin = named[-1]
    with opened(folder, book_url) as launch:
        if len(named) == 2:
            told = explaining.told_reasons(launch, named[0], vin, _at(launch, at))
        else:
            told = explaining.told_car(launch, vin, _at(launch, at))
    if shape == "json":
        print_json(told)
        return
    _explain_car(told) if len(named) == 1 else _explain(told)


def _explain(told: dict[str, Any]) -> None:
    click.echo(f"{told['car']} {'gets' if told['gets_it'] else 'does not get'} {told['rollout']}:")
    for reason in told["reasons"]:
        until = f" (not before {reason['until']})" if reason["until"] else ""
        click.echo(f"  {reason['text']}{until} [{reason['code']}]")


def _explain_car(told: dict[str, Any]) -> None:
    vin = told["car"]
    heard = f"last heard of {told['last_heard']}" if told["last_heard"] else "never heard of"
    click.echo(f"{vin} runs {told['runs'] or 'what it has not said'}, {heard}")
    for each in told["by_hand"]:
        by = f" by {each['initiated_by']}" if each["initiated_by"] else ""
        click.echo(f"{vin} was given {each['release']}{by}: {each['type']}, {each['status']}")
    for each in told["rollouts"]:
        _explain(each)
    if not told["rollouts"]:
        click.echo("no rollout was planned yet")
    for function in told["functions"]:
        click.echo(f"whether it may switch on {function}: driveaway functions why {vin} {function}")


@rollout.command("history")
@click.argument("name")
@click.option("--picture", "out", type=click.Path(path_type=Path), help="Draw it: a file .svg or .png.")
@time_option
@format_option("table", "json")
@launch_option
def history(
    name: str, out: Path | None, at: str | None, shape: str, folder: str | None, book_url: str | None
) -> None:
    """Tell the decisions of a rollout, each with its evidence."""
    from driveaway.cli.pictures import write_rollout
    from driveaway.launch.updates import rolling

    with opened(folder, book_url) as launch:
        told = rolling.told_decisions(launch, name)
        if out is not None:
            write_rollout(launch, name, _at(launch, at), out)
            click.echo(f"picture: {out}", err=True)
    if shape == "json":
        print_json({"rollout": name, "rows": told})
        return
    print_rows([_decision(each) for each in told])
    for each in told:
        if each.get("reason"):
            click.echo(f"{each['at']} {each['decision']}: {each['reason']}")
        for finding in each["findings"]:
            if finding["verdict"] != "clear":
                click.echo(f"  {finding['name']} ({finding['verdict']}): {finding['text']}")
    click.echo("--format json has the evidence of every decision")
    if any(each["simulated"] for each in told):
        click.echo("the cars are simulated")


def _decision(told: dict[str, Any]) -> dict[str, Any]:
    counts = ("opened", "succeeded", "failed", "silent")
    row = {"at": told["at"], "decision": told["decision"], "wave": told.get("wave", 0)}
    return row | {name: told.get(name, 0) for name in counts} | {"by": told.get("decided_by") or "its rule"}

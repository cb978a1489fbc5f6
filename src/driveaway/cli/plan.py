"""Commands that plan: plan (show, diff, export), whatif."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driveaway.cli.options import cut_of, cut_options, format_option, launch_option, opened, time_option
from driveaway.cli.output import print_json, print_rows
from driveaway.cli.planned import REGIONS, WEEKS, bound_by, header, print_plan

if TYPE_CHECKING:
    from driveaway.launch.launch import Cut, Launch
    from driveaway.launch.planning.proposing import Proposal

F = TypeVar("F", bound=Callable[..., Any])


def planning_options(function: F) -> F:
    """``--paths`` and ``--seed``."""
    function = click.option(
        "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the simulated futures."
    )(function)
    return click.option(
        "--paths",
        type=click.IntRange(min=1, max=1_000_000),
        help="Simulated futures; default: as launch.toml says.",
    )(function)


def proposed(launch: Launch, cut: Cut, paths: int | None, seed: int, *, fresh: bool = False) -> Proposal:
    """The plan of a cut, with what it found wrong told on stderr."""
    from driveaway.launch.planning.proposing import propose

    proposal = propose(launch, cut, paths=paths, seed=seed, stable=not fresh)
    for problem in proposal.problems:
        click.echo(f"warning: {problem}", err=True)
    return proposal


@click.group("plan", invoke_without_command=True)
@click.option("--adopt", is_flag=True, help="Record the plan: figures of deliveries read it from then on.")
@click.option("--fresh", is_flag=True, help="Keep nothing of the plan adopted before.")
@click.option("--weeks", default=WEEKS, show_default=True, type=click.IntRange(min=1), help="Weeks to print.")
@click.option("--daily", is_flag=True, help="Cars by day instead of by week, for as many weeks.")
@click.option(
    "--regions",
    default=REGIONS,
    show_default=True,
    type=click.IntRange(min=0),
    help="Regions to print, those with most cars first; the others are one row. 0: none.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Pictures of it: a file .svg or .html.")
@planning_options
@time_option
@format_option("table", "json")
@cut_options
@launch_option
@click.pass_context
def plan(
    context: click.Context,
    adopt: bool,
    fresh: bool,
    weeks: int,
    daily: bool,
    regions: int,
    out: Path | None,
    paths: int | None,
    seed: int,
    at: str | None,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Plan every open firm order: cars by week and region, what binds, the odds of every target."""
    if context.invoked_subcommand is not None:
        return
    from driveaway.launch.planning import adopting, telling
    from driveaway.launch.planning.regions import months_of_regions

    with opened(folder, book_url) as launch:
        cut = cut_of(launch, as_of, mark, known_at)
        proposal = proposed(launch, cut, paths, seed, fresh=fresh)
        told = telling.of_proposal(proposal)
        adopted = None
        if adopt:
            happened = None if at is None else launch.parse_time(at)
            adopted = adopting.adopt(launch, proposal, at=happened)
        if shape == "json":
            print_json(told)
        else:
            print_plan(told, weeks, daily=daily)
            print_rows(telling.weeks_of_trims(proposal)[:weeks], "Built by week, when all goes as expected:")
            if regions:
                click.echo()
                rows = months_of_regions(proposal, regions)
                print_rows(rows, "Handed over by region and month, when all goes as expected:")
        if adopted is not None:
            word = "adopted" if adopted.added else "known already"
            click.echo(f"{adopted.draft.subject}: {word} as fact {adopted.seq}", err=shape == "json")
        elif shape != "json":
            click.echo("driveaway plan --adopt takes it into the book", err=True)
        if out is not None:
            from driveaway.cli.pictures import write_plan

            write_plan(proposal, out)
            click.echo(f"{out}", err=True)


@plan.command("show")
@click.option("--weeks", default=WEEKS, show_default=True, type=click.IntRange(min=1), help="Weeks to print.")
@format_option("table", "json")
@cut_options
@launch_option
def show(
    weeks: int,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Tell the plan last adopted."""
    from driveaway.delivery.plans import last_plan
    from driveaway.launch.planning import telling
    from driveaway.values.errors import NotFound

    with opened(folder, book_url) as launch:
        fact = last_plan(cut_of(launch, as_of, mark, known_at).view)
        if fact is None:
            raise NotFound(
                "no plan had been adopted by then", code="delivery.no_plan", remedy="driveaway plan --adopt"
            )
        told = telling.of_plan(fact.body) | {"plan": fact.subject, "simulated": fact.simulated}  # type: ignore[arg-type]
        if shape == "json":
            print_json(told)
            return
        click.echo(f"{fact.subject} (fact {fact.seq})")
        targets = [
            {
                "target": o["target"],
                "odds": f"{o['odds']:.0%}",
                "5 %": o["low"],
                "50 %": o["middle"],
                "95 %": o["high"],
            }
            for o in told["odds"]
        ]
        click.echo(header(told))
        print_rows(targets, "Targets:")
        print_rows(told["weeks"][:weeks], "Cars by week:")
        if told["binding"]:
            print_rows(bound_by(told["binding"]), "What binds:")


@plan.command("diff")
@planning_options
@format_option("table", "json")
@cut_options
@launch_option
def diff(
    paths: int | None,
    seed: int,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Tell how a plan of now differs from the one last adopted."""
    from driveaway.launch.planning import telling
    from driveaway.values.errors import NotFound

    with opened(folder, book_url) as launch:
        proposal = proposed(launch, cut_of(launch, as_of, mark, known_at), paths, seed)
        if proposal.previous is None:
            raise NotFound(
                "no plan had been adopted by then", code="delivery.no_plan", remedy="driveaway plan --adopt"
            )
        told = telling.of_difference(proposal, proposal.previous)
    if shape == "json":
        print_json(told)
        return
    click.echo(f"beside {told['adopted']}" + ("; the orders are simulated" if told["simulated"] else ""))
    print_rows(
        [
            {
                "target": row["target"],
                "adopted": "–" if row["odds_adopted"] is None else f"{row['odds_adopted']:.0%}",
                "now": "–" if row["odds_now"] is None else f"{row['odds_now']:.0%}",
            }
            for row in told["targets"]
        ]
    )
    click.echo(f"{told['orders_new']:,} orders are new, {told['orders_gone']:,} wait no more")
    click.echo(
        f"slots: {told['slots_unmoved']:,} unmoved, {told['slots_earlier']:,} earlier,"
        f" {told['slots_later']:,} later (by {told['latest_move_days']} days at most)"
    )


@plan.command("export")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A file .csv or .parquet.")
@planning_options
@cut_options
@launch_option
def export(
    out: Path,
    paths: int | None,
    seed: int,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Write the slot and the dates of every open order."""
    from driveaway.launch.planning.adopting import table_of
    from driveaway.launch.planning.landing import write

    with opened(folder, book_url) as launch:
        proposal = proposed(launch, cut_of(launch, as_of, mark, known_at), paths, seed)
        write(table_of(proposal), out)
    click.echo(f"{proposal.open:,} orders in {out}")


@click.command("whatif")
@click.argument("changes", nargs=-1, required=True)
@planning_options
@format_option("table", "json")
@cut_options
@launch_option
def whatif(
    changes: tuple[str, ...],
    paths: int | None,
    seed: int,
    shape: str,
    as_of: str | None,
    mark: int | None,
    known_at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Plan with and without changes, such as: driveaway whatif "second shift from 2024-09-01".

    CHANGES are texts of a small grammar, or TOML files; the same futures are simulated for both.
    """
    from driveaway.launch.planning import comparing, telling

    with opened(folder, book_url) as launch:
        cut = cut_of(launch, as_of, mark, known_at)
        found = comparing.compare(
            launch, cut, comparing.changes_of(launch, cut, changes), paths=paths, seed=seed
        )
        told = telling.of_comparison(found)
    for problem in told["problems"]:
        click.echo(f"warning: {problem}", err=True)
    if shape == "json":
        print_json(told)
        return
    for change in told["changes"]:
        click.echo(f"If {change['said'][:1].lower()}{change['said'][1:]}")
    click.echo()
    print_rows(
        [
            {
                "target": row["target"],
                "odds before": "–" if row["odds_before"] is None else f"{row['odds_before']:.0%}",
                "after": "–" if row["odds_after"] is None else f"{row['odds_after']:.0%}",
                "expected before": row["expected_before"],
                "expected after": row["expected_after"],
            }
            for row in told["targets"]
        ],
        "Targets:",
    )
    before, after = told["cleared_by"]
    click.echo(f"half of all paths clear today's orders by {before or '–'} before, {after or '–'} after")
    if told["wait_days"] is not None:
        click.echo("median days to handover: {:.0f} before, {:.0f} after".format(*told["wait_days"]))
    click.echo(f"{told['sooner']:,} orders come sooner, {told['later']:,} later")
    click.echo(
        f"promises that would break: {len(told['promises_broken']):,}" + _some(told["promises_broken"])
    )
    click.echo(f"promises that would be kept again: {len(told['promises_mended']):,}")
    said = "; the orders are simulated" if told["simulated"] else ""
    click.echo(f"the same simulated futures for both; as of {told['as_of']}, mark {told['mark']}{said}")


def _some(orders: Sequence[str]) -> str:
    return "" if not orders else f" ({', '.join(orders[:5])}{' …' if len(orders) > 5 else ''})"

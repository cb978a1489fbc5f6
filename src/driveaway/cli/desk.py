"""Commands of the order desk and the yard, and for recording any other fact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driveaway.cli.options import launch_option, opened, pairs, source_option, time_option

if TYPE_CHECKING:
    from driveaway.launch.launch import Launch, Outcome

F = TypeVar("F", bound=Callable[..., Any])
_CONFIGURATION = ("trim", "colour", "province", "city", "outlet")


def _configuration(function: F) -> F:
    for name in reversed(_CONFIGURATION):
        function = click.option(f"--{name}")(function)
    return function


def _time(launch: Launch, at: str | None) -> int | None:
    return None if at is None else launch.parse_time(at)


def _told(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        word = "recorded" if outcome.added else "known already"
        click.echo(f"{outcome.draft.kind} {outcome.draft.subject}: {word} as fact {outcome.seq}")


@click.group("orders")
def orders() -> None:
    """Reserve, lock, change, cancel, pay, hand over."""


@orders.command("reserve")
@_configuration
@click.option("--edition", help="A limited edition, as in launch.toml.")
@click.option("--buyer", help="Pseudonym of the buyer (never a name).")
@click.option("--channel", help="Where the order came in.")
@click.option("--deposit", metavar="AMOUNT", help="Deposit taken, in major units.")
@click.option("--order-id", "order_text", metavar="ID", help="Order id; default: a fresh one.")
@source_option
@time_option
@launch_option
def reserve(
    order_text: str | None,
    deposit: str | None,
    source: str,
    at: str | None,
    folder: str | None,
    book_url: str | None,
    **fields: Any,
) -> None:
    """Take a reservation, with its deposit; prints the order id."""
    from driveaway.launch import desk
    from driveaway.values.ids import parse_order_id

    with opened(folder, book_url) as launch:
        order_id = None if order_text is None else parse_order_id(order_text)
        subject, outcomes = desk.reserve(
            launch, fields, order_id=order_id, deposit=deposit, at=_time(launch, at), source=source
        )
    click.echo(subject)
    click.echo(f"{sum(o.added for o in outcomes)} facts recorded", err=True)


@orders.command("lock")
@click.argument("order_id")
@source_option
@time_option
@launch_option
def lock(order_id: str, source: str, at: str | None, folder: str | None, book_url: str | None) -> None:
    """Make an order firm (锁单)."""
    from driveaway.launch import desk
    from driveaway.values.ids import parse_order_id

    with opened(folder, book_url) as launch:
        _told(desk.lock(launch, parse_order_id(order_id), at=_time(launch, at), source=source))


@orders.command("change")
@click.argument("order_id")
@_configuration
@click.option("--requeue", is_flag=True, help="The order goes to the end of the queue.")
@source_option
@time_option
@launch_option
def change(
    order_id: str,
    requeue: bool,
    source: str,
    at: str | None,
    folder: str | None,
    book_url: str | None,
    **fields: Any,
) -> None:
    """Change an order's configuration; what is not named stays."""
    from driveaway.launch import desk
    from driveaway.values.ids import parse_order_id

    with opened(folder, book_url) as launch:
        when = _time(launch, at)
        _told(desk.change(launch, parse_order_id(order_id), fields, requeues=requeue, at=when, source=source))


@orders.command("cancel")
@click.argument("order_id")
@click.option("--by", type=click.Choice(["buyer", "maker"]), default="buyer", show_default=True)
@click.option("--reason")
@source_option
@time_option
@launch_option
def cancel(
    order_id: str,
    by: str,
    reason: str | None,
    source: str,
    at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Call an order off and settle its deposit by the rules."""
    from driveaway.launch import desk
    from driveaway.values.ids import parse_order_id

    with opened(folder, book_url) as launch:
        when = _time(launch, at)
        _told(desk.cancel(launch, parse_order_id(order_id), by=by, reason=reason, at=when, source=source))


@orders.command("pay")
@click.argument("order_id")
@click.argument("amount")
@source_option
@time_option
@launch_option
def pay(
    order_id: str, amount: str, source: str, at: str | None, folder: str | None, book_url: str | None
) -> None:
    """Record a payment towards the price, AMOUNT in major units."""
    from driveaway.launch import desk
    from driveaway.values.ids import parse_order_id

    with opened(folder, book_url) as launch:
        _told(desk.pay(launch, parse_order_id(order_id), amount, at=_time(launch, at), source=source))


@orders.command("handover")
@click.argument("order_id")
@click.option("--vin", help="The car; it must be built, paid for and pegged to the order.")
@click.option("--province")
@click.option("--city")
@click.option("--outlet")
@source_option
@time_option
@launch_option
def handover(
    order_id: str,
    vin: str | None,
    source: str,
    at: str | None,
    folder: str | None,
    book_url: str | None,
    **place: Any,
) -> None:
    """Hand the car over to its buyer (交付)."""
    from driveaway.launch import desk
    from driveaway.values.ids import parse_order_id, parse_vin

    with opened(folder, book_url) as launch:
        car = None if vin is None else parse_vin(vin)
        when = _time(launch, at)
        _told(desk.hand_over(launch, parse_order_id(order_id), car, place, at=when, source=source))


@orders.command("clock")
@time_option
@launch_option
def clock(at: str | None, folder: str | None, book_url: str | None) -> None:
    """Record the locks that the clock has made of reservations that nobody took back in time."""
    from driveaway.launch import desk

    with opened(folder, book_url) as launch:
        outcomes = desk.clock(launch, at=_time(launch, at))
    click.echo(f"{sum(o.added for o in outcomes)} orders locked by the clock")


class _OfAnyKind(click.Command):
    """Says the fields of a kind where the help is asked for after its name, else the kinds."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["words"] = [word for word in args if not word.startswith("-")]
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from driveaway.facts import KINDS
        from driveaway.launch.recording import BY_COMMAND

        named = next((word for word in ctx.meta.get("words", ()) if word in KINDS), None)
        if named is not None:
            with formatter.section(f"Fields of {named}"):
                formatter.write_dl(_fields(named))
            return
        with formatter.section("Example"):
            formatter.write_text(_EXAMPLE)
        with formatter.section("Kinds, with the fields that each needs (record KIND --help lists all)"):
            formatter.write_dl([
                (name, ", ".join(field.name for field in kind.fields if field.required) or "none needed")
                for name, kind in KINDS.items() if name not in BY_COMMAND
            ])  # fmt: skip


_EXAMPLE = (
    "driveaway record outlet.opened shanghai-1 role=store province=Shanghai city=Shanghai"
    " --at 2024-03-28T10:00:00+08:00"
)


def _fields(name: str) -> list[tuple[str, str]]:
    from driveaway.facts import kind_named
    from driveaway.facts.wording import values_of

    kind = kind_named(name)
    return [
        (
            f"{field.name}=…",
            ("needed" if field.required else "may be left out")
            + (f"; one of {', '.join(values)}" if (values := values_of(kind.body, field.name)) else ""),
        )
        for field in kind.fields
    ]


@click.command("record", cls=_OfAnyKind)
@click.argument("kind")
@click.argument("subject")
@click.argument("fields", nargs=-1, metavar="[NAME=VALUE]...")
@source_option
@time_option
@launch_option
def record(
    kind: str,
    subject: str,
    fields: tuple[str, ...],
    source: str,
    at: str | None,
    folder: str | None,
    book_url: str | None,
) -> None:
    """Record a fact of any kind; record KIND --help lists the fields of that kind."""
    from driveaway.launch import recording

    with opened(folder, book_url) as launch:
        _told(recording.record(launch, kind, subject, pairs(fields), at=_time(launch, at), source=source))


@click.command("correct")
@click.argument("seq", type=int)
@click.argument("fields", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--at", metavar="TIME", help="When it really happened; default: as recorded.")
@launch_option
def correct(
    seq: int, fields: tuple[str, ...], at: str | None, folder: str | None, book_url: str | None
) -> None:
    """Correct a fact: a new one replaces it, and answers at older marks stay as they were."""
    from driveaway.launch import recording

    with opened(folder, book_url) as launch:
        _told(recording.correct(launch, seq, pairs(fields), at=_time(launch, at)))


@click.command("withdraw")
@click.argument("seq", type=int)
@click.option("--reason", required=True)
@launch_option
def withdraw(seq: int, reason: str, folder: str | None, book_url: str | None) -> None:
    """Take a fact back, as if it had never been recorded; answers at older marks stay."""
    from driveaway.launch import recording

    with opened(folder, book_url) as launch:
        _told(recording.withdraw(launch, seq, reason))


@click.group("cars")
def cars() -> None:
    """Build, ship, peg, unpeg, take back."""


def _car_command(name: str, kind: str, help_text: str) -> None:
    @cars.command(name, help=help_text)
    @click.argument("vin")
    @click.argument("fields", nargs=-1, metavar="[NAME=VALUE]...")
    @source_option
    @time_option
    @launch_option
    def command(
        vin: str,
        fields: tuple[str, ...],
        source: str,
        at: str | None,
        folder: str | None,
        book_url: str | None,
    ) -> None:
        from driveaway.launch import recording

        with opened(folder, book_url) as launch:
            _told(recording.record(launch, kind, vin, pairs(fields), at=_time(launch, at), source=source))


_car_command("build", "car.built", "A car left the line: plant=, trim=, colour=, purpose=, battery_code=, …")
_car_command("ship", "car.shipped", "A car left the plant: province=, city=, outlet=, carrier=.")
_car_command("peg", "car.pegged", "Assign a car to an order: order=ID.")
_car_command("unpeg", "car.unpegged", "Take a car from its order: order=ID reason=damaged.")
_car_command("take-back", "car.returned", "A buyer gave a car back: order=ID reason=….")

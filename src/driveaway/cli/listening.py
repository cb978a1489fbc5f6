"""Where and how a server listens: the options that every door's command has, defined once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from driveaway.web.http.listening import Listener, Listening, Tls

F = TypeVar("F", bound=Callable[..., Any])
_File = click.Path(exists=True, dir_okay=False, path_type=Path)


def listening_options(port: int) -> Callable[[F], F]:
    """The options of a server that listens on ``port`` unless another one is given."""
    options = (
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
        click.option(
            "--port", type=click.IntRange(0, 65535), default=port, show_default=True, help="0: any free one."
        ),
        click.option(
            "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Server processes."
        ),
        click.option("--tls-cert", type=_File, help="Certificate chain in PEM: serve HTTPS."),
        click.option("--tls-key", type=_File, help="Its private key in PEM."),
        click.option(
            "--trusted-proxy", "proxies", multiple=True, metavar="ADDRESS",
            help="Address or network of a proxy whose X-Forwarded-… headers count, and where cars are"
            " served its certificate headers. Repeatable.",
        ),
        click.option("--public-url", default="", metavar="URL", help="Where links lead; default: as asked."),
        click.option(
            "--plain-http", is_flag=True,
            help="Allow HTTP without TLS beyond loopback: credentials cross the network in the clear.",
        ),
    )  # fmt: skip

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def listener_of(given: dict[str, Any]) -> dict[str, Any]:
    """What the options say of where and how to listen: the fields of a ``Listener``.

    Raises:
        BadValue: what is said of TLS is not whole.
    """
    return {
        "host": given["host"],
        "port": given["port"],
        "workers": given["workers"],
        "tls": _tls(
            given["tls_cert"],
            given["tls_key"],
            given.get("client_ca"),
            required=given.get("client_cert_required", False),
        ),
        "plain": given["plain_http"],
    }


def _tls(
    certificate: Path | None, key: Path | None, authorities: Path | None, *, required: bool
) -> Tls | None:
    from driveaway.values.errors import BadValue
    from driveaway.web.http.listening import Tls

    if required and authorities is None:
        raise BadValue(
            "who signs cars' certificates is not said",
            code="web.tls",
            place="--client-cert-required",
            remedy="give --client-ca",
        )
    if certificate is None and key is None and authorities is None:
        return None
    if certificate is None or key is None:
        raise BadValue(
            "TLS needs a certificate and its key",
            code="web.tls",
            place="--tls-cert" if certificate is None else "--tls-key",
            remedy="give both, or neither and no --client-ca",
        )
    return Tls(certificate, key, authorities, required)


def telling(what: str, listener: Listener, path: str) -> Listening:
    """Says on stdout where a server listens, once it does."""
    scheme = "http" if listener.tls is None else "https"

    def listening(host: str, port: int) -> None:
        place = f"[{host}]" if ":" in host else host
        click.echo(f"{what}: {scheme}://{place}:{port}{path}")
        sys.stdout.flush()

    return listening

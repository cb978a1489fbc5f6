"""How a car fetches: bounded in bytes (by ngclient) and in time, or from a bundle without a network."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit

import urllib3
from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from tuf.ngclient import FetcherInterface

_CHUNK = 64 * 1024
LOCAL = "bundle:/"


@dataclass(frozen=True)
class Patience:
    """How long a car waits for one file.

    Attributes:
        silence: seconds without a byte.
        start: seconds that any file may take.
        pace: bytes per second that it must reach beyond them.
    """

    silence: float = 30.0
    start: float = 60.0
    pace: float = 1024.0


class HttpFetcher(FetcherInterface):
    """Fetches over HTTP, one at a time, and gives up on what arrives too slowly (TUF 1.0, section 1.5.2).

    A time-out between bytes alone can be held off for ever, a byte at a time; so the mean pace counts.

    Args:
        pool: an own pool of connections, such as one with a client certificate.
        patience: how long to wait.
    """

    def __init__(self, pool: urllib3.PoolManager | None = None, patience: Patience | None = None) -> None:
        self._pool = pool or urllib3.PoolManager(retries=False)
        self._patience = patience or Patience()
        self._response: urllib3.BaseHTTPResponse | None = None

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """As of the interface; hangs up at once on what is refused, rather than when it is forgotten."""
        try:
            with super().download_file(url, max_length) as file:
                yield file
        finally:
            self.hang_up()

    def hang_up(self) -> None:
        """Close the connection of the last fetch, if it is still there."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        begun = time.monotonic()
        try:
            response = self._pool.request(
                "GET", url, preload_content=False, redirect=False,
                timeout=urllib3.Timeout(self._patience.silence), headers={"Accept-Encoding": "identity"},
            )  # fmt: skip
        except urllib3.exceptions.TimeoutError as error:
            raise SlowRetrievalError(url) from error
        self._response = response
        if response.status != 200:
            self.hang_up()
            raise DownloadHTTPError(f"status {response.status}", response.status)
        return self._chunks(response, url, begun)

    def _chunks(self, response: urllib3.BaseHTTPResponse, url: str, begun: float) -> Iterator[bytes]:
        patience, received = self._patience, 0
        try:
            # read1 hands over what is there: read would wait for a whole chunk, and count no time.
            while chunk := response.read1(_CHUNK, decode_content=False):
                received += len(chunk)
                if time.monotonic() - begun > patience.start + received / patience.pace:
                    raise SlowRetrievalError(url)
                yield chunk
        except urllib3.exceptions.TimeoutError as error:
            raise SlowRetrievalError(url) from error
        except urllib3.exceptions.HTTPError as error:
            raise DownloadError(f"{url}: {type(error).__name__}") from error
        finally:
            self.hang_up()


class BundleFetcher(FetcherInterface):
    """Serves the files of a bundle; what is not in it does not exist."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = urlsplit(url).path.lstrip("/")
        if name not in self._files:
            raise DownloadHTTPError(f"the bundle has no {name}", 404)
        return iter((self._files[name],))

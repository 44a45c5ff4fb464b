"""Fetches over HTTP(S) within bounds: of bytes, of silence, and of the time that so many bytes may take."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import urllib3
from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from tuf.ngclient.fetcher import FetcherInterface
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse, HTTPResponse

BLOCK_BYTES: Final = 1 << 16

PARTIAL_CONTENT: Final = 206


@dataclass(frozen=True, slots=True)
class Patience:
    """How slow a server may be."""

    silence_seconds: float = 20.0
    """Without a byte."""
    grace_seconds: float = 60.0
    """After so long the mean speed counts."""
    bytes_per_second: float = 2048.0
    """Least mean speed: 12 MB take 100 minutes at most."""


PATIENT: Final = Patience()
"""With a mobile network, too."""


class BoundedFetcher(FetcherInterface):
    """One device's way to one repository. Follows no redirection, and repeats nothing by itself."""

    def __init__(
        self, context: ssl.SSLContext | None, patience: Patience, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience, self._clock = patience, clock
        self._context = context

    def _fetch(self, url: str) -> Iterator[bytes]:
        with self.opened(url, start=0) as blocks:
            yield from blocks.content

    @contextmanager
    def opened(self, url: str, *, start: int) -> Iterator["Blocks"]:
        """Ask for a file from a byte on; raises `DownloadError`, `DownloadHTTPError`, `SlowRetrievalError`."""
        headers = {"Accept-Encoding": "identity", "Connection": "close"} | (
            {"Range": f"bytes={start}-"} if start else {}
        )
        began, silence = self._clock(), self._patience.silence_seconds
        # A connection for each file: one that the server has closed meanwhile would have to be told from a failure.
        pool = urllib3.PoolManager(
            ssl_context=self._context, timeout=urllib3.Timeout(connect=silence, read=silence), retries=False
        )
        try:
            answer = pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
        except ReadTimeoutError as error:
            raise SlowRetrievalError(f"{url}: nothing for {silence:g} s") from error
        except HTTPError as error:
            raise DownloadError(f"{url}: {error}") from error
        try:
            if answer.status not in (200, PARTIAL_CONTENT):
                raise DownloadHTTPError(f"{url}: HTTP status {answer.status}", answer.status)
            yield Blocks(_first_byte(answer, start), self._content(url, answer, began))
        finally:
            answer.close()
            pool.clear()

    def _content(self, url: str, answer: BaseHTTPResponse, began: float) -> Iterator[bytes]:
        patience, received = self._patience, 0
        if not isinstance(answer, HTTPResponse):
            raise DownloadError(f"{url}: answers in another way than HTTP/1.1")
        try:
            # `read1` returns what has come: `read` would wait for a whole block, however slowly it drips.
            while block := answer.read1(BLOCK_BYTES):
                received += len(block)
                seconds = self._clock() - began
                if seconds > patience.grace_seconds and received < seconds * patience.bytes_per_second:
                    raise SlowRetrievalError(f"{url}: {received} bytes in {seconds:.0f} s")
                yield block
        except ReadTimeoutError as error:
            raise SlowRetrievalError(f"{url}: nothing for {patience.silence_seconds:g} s") from error
        except HTTPError as error:
            raise DownloadError(f"{url}: {error}") from error


@dataclass(frozen=True, slots=True)
class Blocks:
    """An answer that has begun."""

    start: int
    """Number of its first byte: not the one asked for where the server sends the whole file all the same."""
    content: Iterator[bytes]


def _first_byte(answer: BaseHTTPResponse, start: int) -> int:
    if answer.status != PARTIAL_CONTENT:
        return 0
    said = answer.headers.get("content-range", "")
    if not said.startswith(f"bytes {start}-"):
        raise DownloadError(f"asked for bytes from {start} on, got {said[:80]!r}")
    return start

"""HTTP connections that end where a request does not arrive in time: uvicorn itself waits for ever."""

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

STALL_SECONDS: Final = 15.0
"""Without a byte, while a request is incomplete."""

REQUEST_SECONDS: Final = 120.0
"""From the first wait to the last byte of a request: 17 MB, the largest, arrive within it at 150 kB/s."""


class TimedProtocol(H11Protocol):
    """Closes a connection that sends no request, or half of one.

    A connection that has had an answer is idle; uvicorn's `timeout_keep_alive` ends it.
    """

    stall_seconds: float = STALL_SECONDS
    request_seconds: float = REQUEST_SECONDS

    _timer: asyncio.TimerHandle | None = None
    _began: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_incomplete():
            self._wait()
        else:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _is_incomplete(self) -> bool:
        """Return whether a request has begun and not ended."""
        state = self.conn.their_state
        return state is h11.SEND_BODY or (state is h11.IDLE and bool(self.conn.trailing_data[0]))

    def _wait(self) -> None:
        now = self.loop.time()
        self._began = now if self._began is None else self._began
        self._cancel()
        ends_at = min(now + self.stall_seconds, self._began + self.request_seconds)
        self._timer = self.loop.call_at(ends_at, self._give_up)

    def _give_up(self) -> None:
        if self.flow.read_paused:  # it is the page that has not read on yet, not the client that is slow
            self._began = None
            self._wait()
        elif not self.transport.is_closing():
            self.transport.close()

    def _stop(self) -> None:
        self._cancel()
        self._began = None

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

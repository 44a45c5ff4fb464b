"""Connections that send nothing, or half of a request, end; all others are left alone."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from broker.config.broker import Config
from broker.web.http_protocol import TimedProtocol
from testing.waiting import PATIENCE_SECONDS
from tests.broker.web import sample
from tests.broker.web.serving import Browser, serving


class Impatient(TimedProtocol):
    """One that a test can wait for."""

    stall_seconds = 0.5


@pytest.fixture(scope="module")
def port(config: Config) -> Iterator[int]:
    """Where a console listens that waits for half a second."""
    with serving(config, protocol=Impatient) as address:
        yield int(address.rsplit(":", 1)[1])


def _ends(port: int, sent: bytes) -> bool:
    """Say whether the console closes a connection after this, without an answer or with a refusal."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(sent)
        answer = b""
        while received := connection.recv(4096):
            answer += received
        return b" 200 " not in answer


HEAD = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"POST /login HTTP/1.1\r\nHost: loc", id="half a header"),
        pytest.param(HEAD + b"Content-Length: 5000\r\n\r\n", id="no body"),
        pytest.param(HEAD + b"Content-Length: 5000\r\n\r\nname=mina", id="half a body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nname=\r\n", id="chunks without an end"),
    ],
)
def test_a_request_that_does_not_arrive_ends(port: int, sent: bytes) -> None:
    assert _ends(port, sent)


def test_a_page_that_stays_open_is_not_cut(port: int, config: Config) -> None:
    with Browser(f"http://127.0.0.1:{port}") as browser:
        browser.login("mina")
        with browser.http.stream("GET", "/live/stream?after=0") as live:
            time.sleep(3 * Impatient.stall_seconds)
            sample.say(config, sample.caption("a zebra crosses the street", 7301, datetime.now(UTC)))

            assert any("zebra" in line for line in live.iter_lines())

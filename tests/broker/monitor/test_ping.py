"""Signs of life, against a real HTTP server."""

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from broker.config import broker as config_file
from broker.config.errors import Misconfigured
from broker.config.monitor import Ping
from broker.monitor import ping
from broker.monitor.ping import Pinger
from broker.ports import NoMetrics
from testing.loopback import free_port
from testing.mosquitto import Mosquitto
from testing.waiting import wait_until
from tests.broker.running_service import Running, write_config

SECRET = "/0b1c2d3e-secret"


class Watchman(ThreadingHTTPServer):
    """Someone else's machine, which notes who asked for what."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.hang = threading.Event()
        self.hang.set()
        watchman = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                watchman.asked.append(self.path)
                watchman.hang.wait(5)
                self.send_response(watchman.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{SECRET}"


@pytest.fixture
def watchman() -> Iterator[Watchman]:
    server = Watchman()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.hang.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Pings(NoMetrics):
    """Remembers how signs of life went."""

    def __init__(self) -> None:
        self.results: list[str] = []

    def pinged(self, result: str) -> None:
        self.results.append(result)


def make(url: str, metrics: Pings, *, ready: bool = True, tells_failure: bool = False, timeout: float = 5) -> Pinger:
    return Pinger(url, 0.01, timeout, tells_failure, lambda: ready, metrics)


def test_a_sign_is_given_while_the_service_is_ready_and_none_while_it_is_not(watchman: Watchman) -> None:
    pings = Pings()
    make(watchman.url, pings).step()
    make(watchman.url, pings, ready=False).step()

    assert watchman.asked == [SECRET]
    assert pings.results == ["taken"]


def test_failure_is_told_where_that_is_asked_for(watchman: Watchman) -> None:
    make(watchman.url, Pings(), ready=False, tells_failure=True).step()

    assert watchman.asked == [f"{SECRET}/fail"]


@pytest.mark.parametrize("status", [301, 404, 500])
def test_a_refusal_is_counted_and_logged_without_the_url(
    watchman: Watchman, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    watchman.status = status
    pings = Pings()
    with caplog.at_level(logging.WARNING):
        make(watchman.url, pings).step()

    assert pings.results == ["refused"]
    assert [record.message for record in caplog.records] == ["ping not accepted"]
    assert SECRET not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "http://[::"], ids=["nothing listens", "no address"])
def test_a_machine_that_is_not_there_hurts_nobody(url: str, caplog: pytest.LogCaptureFixture) -> None:
    pings = Pings()
    with caplog.at_level(logging.WARNING):
        make(url.replace("{port}", str(free_port())) + SECRET, pings).step()

    assert pings.results == ["unreachable"]
    assert SECRET not in str([vars(record) for record in caplog.records])


def test_a_machine_that_never_answers_is_given_up(watchman: Watchman) -> None:
    watchman.hang.clear()
    pings = Pings()
    make(watchman.url, pings, timeout=0.1).step()

    assert pings.results == ["unreachable"]


def test_a_running_service_gives_signs_until_its_mqtt_server_goes(
    tmp_path: Path, watchman: Watchman, mosquitto: Mosquitto
) -> None:
    (tmp_path / "url").write_text(watchman.url + "\n", encoding="utf-8")
    ping = {"url_file": "url", "every_seconds": 1, "report_failure": True}
    config = write_config(tmp_path, server=mosquitto, monitor={"port": None, "ping": ping})
    with Running(config) as service:
        wait_until(lambda: SECRET in watchman.asked, "a sign of life")
        mosquitto.stop()
        wait_until(lambda: f"{SECRET}/fail" in watchman.asked, "the failure")
        assert service.stop() == 0

    assert SECRET not in service.stderr
    assert service.said("monitor") == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [("", "is empty"), ("ftp://x", "is no URL"), ("https://a b", "is no URL"), (None, "No such file")],
)
def test_a_file_that_holds_no_url_is_refused_without_saying_what_it_holds(
    tmp_path: Path, content: str | None, problem: str
) -> None:
    file = tmp_path / "url"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(Misconfigured, match=f"monitor.ping.url_file: .*{problem}") as caught:
        ping.url_of(Ping(url_file=file))
    assert "a b" not in str(caught.value)


def test_the_variable_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORDCAM_PING_URL", "https://elsewhere")

    assert ping.url_of(Ping(url="https://here")) == "https://elsewhere"


def test_two_addresses_are_refused(tmp_path: Path) -> None:
    ping = {"url": "https://here", "url_file": "url"}

    with pytest.raises(Misconfigured, match="both name the address"):
        config_file.load(write_config(tmp_path, monitor={"ping": ping}))

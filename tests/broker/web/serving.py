"""Runs the console in this process on a real port, and browses it as a browser does, cookies and forms included."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from broker.config.broker import Config
from broker.web import server
from broker.web.http_protocol import TimedProtocol
from testing.waiting import PATIENCE_SECONDS
from tests.broker.web.sample import PASSWORD


@contextmanager
def serving(config: Config, protocol: type[TimedProtocol] = TimedProtocol) -> Iterator[str]:
    """Serve a configuration, and provide the address."""
    ready = threading.Event()
    known: list[tuple[Callable[[], None], str]] = []

    def on_ready(stop: Callable[[], None], address: str) -> None:
        known.append((stop, address))
        ready.set()

    thread = threading.Thread(target=server.run, args=(config,), kwargs={"on_ready": on_ready, "protocol": protocol})
    thread.start()
    assert ready.wait(PATIENCE_SECONDS)
    stop, address = known[0]
    try:
        yield address
    finally:
        stop()
        thread.join(PATIENCE_SECONDS)


@dataclass
class Browser:
    """One browser without eyes."""

    address: str
    verify: bool = True
    """Whether the server must have a certificate that this machine knows."""
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=self.address,
            verify=self.verify,
            timeout=PATIENCE_SECONDS,
            headers={"sec-fetch-site": "same-origin"},
        )

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def login(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Send the login form."""
        return self.send("/login", {"name": name, "password": password, "next": "/"}, form="/login")

    def word(self, path: str) -> str:
        """Return the word that the forms of a page carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.http.get(path).text)
        assert found is not None
        return found[1]

    def send(self, path: str, fields: dict[str, str] | None = None, *, form: str = "/account") -> httpx.Response:
        """Send a form, with the word that the page it stands on carries."""
        return self.http.post(path, data={"csrf": self.word(form), **(fields or {})})

"""Asks the console for anything at all, as uvicorn would hand it over, logged in as an administrator."""

import asyncio
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

from bench.fuzz.decoder import ACCEPTED, Decoder, Read
from bench.fuzz.server import site

FORM: Final = "application/x-www-form-urlencoded"


class Failed(Exception):
    """The console answered that it has a bug."""


REQUESTS: Final = (
    *(
        "GET /",
        "GET /incidents?state=open&before=9",
        "GET /incidents/1",
        "GET /history?q=gun&day=2026-03-14&danger=true",
    ),
    *(
        "GET /history.csv?q=gun",
        "GET /devices",
        "GET /plots?days=7&site=x",
        "GET /rules",
        "GET /silences",
        "GET /audit?before=5",
    ),
    *(
        "GET /messages",
        "GET /users",
        "GET /account",
        "GET /plans/x",
        "GET /health",
        "GET /a/@LINK@",
        "GET /static/console.css",
    ),
    *(
        "GET /live/stream?after=0",
        "GET /api/v1/captions?q=gun&limit=5&since=2026-03-14T03:00:00Z",
        "GET /api/v1/incidents/1",
    ),
    *("GET /api/v1/devices", "GET /api/v1/silences", "GET /api/v1/openapi.json", "DELETE /api/v1/silences/1"),
    *(
        "POST /api/v1/incidents/1/acknowledge",
        "POST /messages/1/resend",
        "POST /account/tokens/1/end",
        "GET /login?next=/x",
    ),
)

FORMS: Final = {
    "/incidents/1/resolve": "",
    "/incidents/1/notes": "text=a+note",
    "/silences": "matchers=site%3Dx&hours=1&reason=why",
    "/silences/1/end": "",
    "/rules": "sentence=a+gun&rules=rules%3A+%5B%7Bname%3A+gun%2C+says%3A+%5Bgun%5D%7D%5D&hours=24",
    "/users": "name=kim&password=short&role=guard&language=ko",
    "/users/2": "role=guard&password=&disabled=no",
    "/account/tokens": "label=x&days=30",
    "/account/password": "old=a&new=b",
    "/plans/x/places": "device=pi-01&x=10&y=20",
    "/language": "language=ko",
    "/theme": "theme=dark",
    "/a/@LINK@": "",
    "/twilio/status": "MessageSid=SM1&MessageStatus=sent",
}


def _console() -> tuple[Read, Sequence[bytes]]:
    """Ask the whole console, logged in as an administrator; it may refuse anything, and fail at nothing."""
    found = site()
    application, loop = found.console(), _loop()
    bugs = _Bugs()
    logging.getLogger("broker.web.error_handlers").addHandler(bugs)

    def read(data: bytes) -> str:
        for name, word in found.words.items():
            data = data.replace(name, word)
        bugs.seen = None
        status = loop.run_until_complete(_ask(application, data))
        if bugs.seen is not None:
            raise bugs.seen
        if status >= 500 and status != 503:
            raise Failed(f"HTTP {status}")
        return ACCEPTED if status < 400 else str(status)

    head = "host: testserver\ncookie: wordcam=@COOKIE@\nsec-fetch-site: same-origin"
    program = "host: testserver\nauthorization: Bearer @TOKEN@"
    seeds = [f"{line}\n{program if '/api/' in line else head}\n\n" for line in REQUESTS]
    seeds += [f"POST {path}\n{head}\ncontent-type: {FORM}\n\ncsrf=@WORD@&{body}" for path, body in FORMS.items()]
    wish = '{"matchers": "site=x danger=fire", "hours": 1, "reason": "why"}'
    seeds.append(f"POST /api/v1/silences\n{program}\ncontent-type: application/json\n\n{wish}")
    parts = "--b\r\nContent-Disposition: form-data; name={}\r\n\r\n{}\r\n"
    drawing = (
        parts.format("csrf", "@WORD@") + parts.format('picture; filename="x.png"', "\x89PNG\r\n\x1a\nIHDR") + "--b--"
    )
    seeds.append(f"POST /plans/x\n{head}\ncontent-type: multipart/form-data; boundary=b\n\n{drawing}")
    return read, [seed.encode("latin-1") for seed in seeds]


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the one loop of this process; it is open for as long as that lives."""
    return asyncio.new_event_loop()


class _Bugs(logging.Handler):
    """Keeps the error that the console answered for."""

    seen: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        if record.exc_info:
            self.seen = record.exc_info[1]


class _EnoughError(Exception):
    """A page that never ends has begun."""


async def _ask(application: Any, data: bytes) -> int:
    """Send one request as uvicorn would, and return the status of its answer."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    target = bytes(sign for sign in target if 0x20 < sign < 0x7F) or b"/"
    raw, _, query = target.partition(b"?")
    pairs = [line.partition(b":")[::2] for line in lines if b":" in line]
    headers = [(_token(name).lower(), value.strip()) for name, value in pairs if _token(name) and value.isascii()]
    headers = [(name, value) for name, value in headers if value.decode().isprintable()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "root_path": "",
        "method": method.decode("latin-1") if method in METHODS else "GET",
        "path": unquote(raw.decode("ascii")),
        "raw_path": raw,
        "query_string": query,
        "headers": [*headers, (b"content-length", str(len(body)).encode())],
        "state": {},
    }
    status = 0
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = int(message["status"])
        elif message.get("more_body") and raw.startswith(b"/live"):
            raise _EnoughError

    try:
        await asyncio.wait_for(application(scope, receive, send), 30)
    except _EnoughError:
        return status
    return status


METHODS: Final = (b"GET", b"POST", b"DELETE", b"HEAD", b"PUT", b"PATCH", b"OPTIONS")


def _token(name: bytes) -> bytes:
    return bytes(sign for sign in name if chr(sign).isalnum() or sign in b"-_")


DECODERS: Final = (Decoder("console", _console, 1),)
"""Every page, form and request."""

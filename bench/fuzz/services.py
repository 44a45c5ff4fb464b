"""Lets clients of other services read whatever these may say."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from bench.fuzz.decoder import Decoder, Read, refusing
from broker.config.channels import Solapi
from broker.notify.senders.solapi import SolapiSender
from broker.notify.translation.deepl import DeepL
from broker.notify.translation.libretranslate import LibreTranslate
from broker.notify.translation.papago import Papago
from broker.ports import SendFailed, Untranslated


class _Babbler(BaseHTTPRequestHandler):
    """Answers whatever is asked with the same bytes, and a status that their first one chooses."""

    answer = b""
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        status = (200, 200, 200, 400, 429, 500)[self.answer[0] % 6] if self.answer else 200
        self.send_response(status)
        self.send_header("content-length", str(len(self.answer[1:])))
        self.end_headers()
        self.wfile.write(self.answer[1:])

    do_GET = do_POST  # noqa: N815 - the base's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    """Says nothing of connections that its clients end."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


def _service(make: Callable[[str], Callable[[], object]], good: bytes, error: type[Exception]) -> Any:
    """Let a client of another service read whatever that service may say."""

    def build() -> tuple[Read, Sequence[bytes]]:

        class Handler(_Babbler):
            """One of its own: what it says is a word of the class."""

        server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        call = make(f"http://127.0.0.1:{server.server_port}")

        def read(data: bytes) -> object:
            Handler.answer = data
            return call()

        return refusing(read, error), [b"\x00" + good, b"\x03" + good, b"\x05{}"]

    return build


def _deepl(url: str) -> Callable[[], object]:
    service = DeepL("key:fx", base_url=url, seconds=20)
    return lambda: service.translate("a man", source="en", target="ko")


def _papago(url: str) -> Callable[[], object]:
    service = Papago("id", "key", base_url=url, seconds=20)
    return lambda: service.translate("a man", source="en", target="ko")


def _libretranslate(url: str) -> Callable[[], object]:
    service = LibreTranslate("key", base_url=url, seconds=20)
    return lambda: service.translate("a man", source="en", target="en")


def _solapi(url: str) -> SolapiSender:
    return SolapiSender(Solapi(api_key="key", sender="02-1234-5678", base_url=url), "secret")


def _solapi_send(url: str) -> Callable[[], object]:
    sender = _solapi(url)
    return lambda: sender.send("+821012345678", "text")


def _solapi_find(url: str) -> Callable[[], object]:
    sender = _solapi(url)
    return lambda: sender.find("+821012345678", "text", since=datetime.now(UTC))


KOREAN: Final = "한 남자가 있습니다"
DEEPL: Final = f'{{"translations": [{{"detected_source_language": "EN", "text": "{KOREAN}"}}]}}'.encode()
PAPAGO: Final = f'{{"message": {{"result": {{"srcLangType": "en", "translatedText": "{KOREAN}"}}}}}}'.encode()
SENT: Final = b'{"messageList": [{"messageId": "M1", "statusCode": "2000", "statusMessage": "ok"}]}'
LISTED: Final = (
    b'{"messageList": {"M1": {"text": "text", "statusCode": "4000", "dateCreated": "2099-01-01T00:00:00Z"}}}'
)

DECODERS: Final = (
    Decoder("deepl-answer", _service(_deepl, DEEPL, Untranslated), 1),
    Decoder("papago-answer", _service(_papago, PAPAGO, Untranslated), 1),
    Decoder("libretranslate-answer", _service(_libretranslate, b'{"translatedText": "a man"}', Untranslated), 1),
    Decoder("solapi-answer", _service(_solapi_send, SENT, SendFailed), 1),
    Decoder("solapi-list", _service(_solapi_find, LISTED, SendFailed), 1),
)
"""Answers of translation services and of a gateway for text messages."""

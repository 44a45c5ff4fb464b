"""Asks a translation service by HTTP, within a time limit, and checks its answer."""

import unicodedata
from collections.abc import Mapping
from typing import Final, TypeVar

import httpx
import msgspec

from broker.config.section import Language
from broker.notify.call_timeout import Clogged, Deadline, Late
from broker.notify.message import segments
from broker.ports import Untranslated

Answer = TypeVar("Answer")

MAX_ANSWER_BYTES: Final = 1 << 16
"""A caption has 200 characters; no translation of it needs more."""

MAX_CHARS: Final = 800
"""Of one translation."""

HANGUL_SHARE: Final = 0.5
"""Letters of a Korean translation that are Hangul, at least: names may stay Latin."""


class Service:
    """One service. `seconds` bounds the whole call, from the look-up of its name to the last byte."""

    def __init__(self, seconds: float) -> None:
        self._deadline = Deadline(seconds)
        # Reading the system's authorities takes longer than most requests; once is enough.
        self._tls = httpx.create_ssl_context()
        self._seconds = seconds

    def post(
        self, url: str, *, headers: Mapping[str, str], kind: type[Answer], json: object = None, form: object = None
    ) -> Answer:
        """Send JSON or a form and return the answer; raises `Untranslated`."""
        content = None if json is None else msgspec.json.encode(json)
        sent = dict(headers) | ({"Content-Type": "application/json"} if json is not None else {})
        fields = {str(key): str(value) for key, value in form.items()} if isinstance(form, dict) else None

        def call() -> bytes:
            with httpx.Client(timeout=self._seconds, follow_redirects=False, verify=self._tls) as client:
                request = client.build_request("POST", url, headers=sent, content=content, data=fields)
                return _read(client.send(request, stream=True))

        try:
            return msgspec.json.decode(self._deadline.run(call), type=kind)
        except (Late, Clogged) as error:
            raise Untranslated(str(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Untranslated(f"{type(error).__name__}: {error}") from error
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise Untranslated(f"the answer is not as documented: {error}") from error


def checked(translated: str, *, target: Language) -> str:
    """Return a translation that can be sent; raises `Untranslated` for an empty, endless or foreign one."""
    text = segments.plain(" ".join(translated.split())).strip()
    if not text or len(text) > MAX_CHARS:
        raise Untranslated(f"the translation has {len(text)} characters")
    alphabetic = [sign for sign in text if sign.isalpha()]
    hangul = sum("HANGUL" in unicodedata.name(sign, "") for sign in alphabetic)
    if target == "ko" and hangul < HANGUL_SHARE * len(alphabetic):
        raise Untranslated("the translation is not Korean")
    if target == "en" and hangul:
        raise Untranslated("the translation is not English")
    return text


def _read(response: httpx.Response) -> bytes:
    try:
        if response.status_code != 200:
            raise Untranslated(f"HTTP {response.status_code}")
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > MAX_ANSWER_BYTES:
                raise Untranslated(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
        return bytes(data)
    finally:
        response.close()

"""Translates by a LibreTranslate server, which one runs oneself: sentences leave the house for nowhere."""

import msgspec

from broker.config.section import Language
from broker.notify.translation.http import Service, checked


class _Answer(msgspec.Struct, rename="camel"):
    translated_text: str


class LibreTranslate:
    """One server, by its API as of https://docs.libretranslate.com/api/operations/translate/."""

    name = "libretranslate"

    def __init__(self, key: str, *, base_url: str, seconds: float) -> None:
        self._key, self._url = key, base_url.rstrip("/") + "/translate"
        self._service = Service(seconds)

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Return the sentence in `target`; raises `Untranslated`."""
        body = {"q": sentence, "source": source[:2].lower(), "target": target, "format": "text"}
        if self._key:
            body["api_key"] = self._key
        answer = self._service.post(self._url, headers={}, kind=_Answer, json=body)
        return checked(answer.translated_text, target=target)

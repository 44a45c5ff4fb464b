"""Translates by NAVER's Papago, as it is since 2024: an application of NAVER Cloud."""

from typing import Final

import msgspec

from broker.config.section import Language
from broker.notify.translation.http import Service, checked

ADDRESS: Final = "https://papago.apigw.ntruss.com"
"""For private customers; authorities and banks have addresses of their own."""


class _Result(msgspec.Struct, rename="camel"):
    translated_text: str


class _Message(msgspec.Struct):
    result: _Result


class _Answer(msgspec.Struct):
    message: _Message


class Papago:
    """One application, by https://api.ncloud-docs.com/docs/en/ai-naver-papagonmt-translation."""

    name = "papago"

    def __init__(self, key_id: str, key: str, *, base_url: str, seconds: float) -> None:
        self._headers = {"X-NCP-APIGW-API-KEY-ID": key_id, "X-NCP-APIGW-API-KEY": key}
        self._url = base_url.rstrip("/") + "/nmt/v1/translation"
        self._service = Service(seconds)

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Return the sentence in `target`; raises `Untranslated`."""
        form = {"source": source[:2].lower(), "target": target, "text": sentence}
        answer = self._service.post(self._url, headers=self._headers, kind=_Answer, form=form)
        return checked(answer.message.result.translated_text, target=target)

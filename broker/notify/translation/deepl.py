"""Translates by DeepL."""

import msgspec

from broker.config.section import Language
from broker.notify.translation.http import Service, checked
from broker.ports import Untranslated


class _Translation(msgspec.Struct):
    text: str


class _Answer(msgspec.Struct):
    translations: list[_Translation]


class DeepL:
    """One account, by https://developers.deepl.com/api-reference/translate."""

    name = "deepl"

    def __init__(self, key: str, *, base_url: str, seconds: float) -> None:
        self._headers = {"Authorization": f"DeepL-Auth-Key {key}"}
        self._url = base_url.rstrip("/") + "/v2/translate"
        self._service = Service(seconds)

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Return the sentence in `target`; raises `Untranslated`."""
        to = {"en": "EN-GB", "ko": "KO"}[target]
        body = {"text": [sentence], "source_lang": source[:2].upper(), "target_lang": to}
        answer = self._service.post(self._url, headers=self._headers, kind=_Answer, json=body)
        if not answer.translations:
            raise Untranslated("the answer holds no translation")
        return checked(answer.translations[0].text, target=target)


def address_of(key: str) -> str:
    """Return the address for a key: keys of free accounts end in `:fx`."""
    return "https://api-free.deepl.com" if key.endswith(":fx") else "https://api.deepl.com"

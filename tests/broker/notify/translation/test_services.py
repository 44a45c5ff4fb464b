"""Translation services over real HTTP: what they are asked, and what becomes of a sentence when they fail."""

import json
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from broker.config import broker
from broker.config.errors import Misconfigured
from broker.notify.translation import cache
from broker.notify.translation.cached import REST_SECONDS, CachedTranslator
from broker.notify.translation.deepl import DeepL, address_of
from broker.notify.translation.libretranslate import LibreTranslate
from broker.notify.translation.offline import OfflineTranslator
from broker.notify.translation.papago import Papago
from broker.ports import NoMetrics, TranslationService, Untranslated
from broker.service import factory
from broker.store import migrate
from broker.store.engine import open_engine, reading, writing
from testing.fake_http import Answer, Behaviour, FakeHttp, Request
from testing.loopback import free_port
from tests.broker.running_service import write_config

ENGLISH = "a man is holding a gun"
KOREAN = "한 남자가 총을 들고 있습니다"
PATIENCE = 20.0
HASTE = 0.4
"""Seconds for an answer, and for none."""

SERVICES: dict[str, tuple[Callable[[str, float], TranslationService], Callable[[str], Any]]] = {
    "libretranslate": (
        lambda url, seconds: LibreTranslate("key", base_url=url, seconds=seconds),
        lambda text: {"translatedText": text},
    ),
    "papago": (
        lambda url, seconds: Papago("id", "key", base_url=url, seconds=seconds),
        lambda text: {"message": {"result": {"srcLangType": "en", "tarLangType": "ko", "translatedText": text}}},
    ),
    "deepl": (
        lambda url, seconds: DeepL("key:fx", base_url=url, seconds=seconds),
        lambda text: {"translations": [{"detected_source_language": "EN", "text": text}]},
    ),
}


@pytest.fixture(params=SERVICES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def serving(name: str, text: str = KOREAN) -> FakeHttp:
    """Return a server that says the same of every sentence, as that service would."""
    return FakeHttp(lambda request: Answer(200, json.dumps(SERVICES[name][1](text)).encode()))


def ask(name: str, server: FakeHttp, seconds: float = PATIENCE) -> str:
    return SERVICES[name][0](server.url, seconds).translate(ENGLISH, source="en", target="ko")


def test_a_service_translates(name: str) -> None:
    with serving(name) as server:
        assert ask(name, server) == KOREAN


FAILURES = (
    Behaviour.SERVER_ERROR,
    Behaviour.TOO_MANY_REQUESTS,
    Behaviour.ACCEPTED_TIMEOUT,
    Behaviour.ACCEPTED_NOT_JSON,
    Behaviour.ACCEPTED_EMPTY_OBJECT,
    Behaviour.ACCEPTED_SLOW_BODY,
    Behaviour.ACCEPTED_SLOW_HEADERS,
    Behaviour.ACCEPTED_HUGE_BODY,
    Behaviour.REDIRECT,
    Behaviour.CONNECTION_CLOSED,
)


@pytest.mark.parametrize("behaviour", FAILURES)
def test_however_a_service_fails_it_says_so_in_time(name: str, behaviour: Behaviour) -> None:
    with serving(name) as server:
        server.planned = deque([behaviour])

        with pytest.raises(Untranslated):
            ask(name, server, HASTE)


@pytest.mark.parametrize(
    "text",
    ["", "   ", "eine Waffe in der Hand", "l'homme 총", "가" * 801, "\u202e\u200b"],
    ids=["empty", "blank", "German", "hardly Korean", "endless", "invisible"],
)
def test_what_is_no_korean_sentence_is_not_believed(name: str, text: str) -> None:
    with serving(name, text) as server, pytest.raises(Untranslated):
        ask(name, server)


def test_a_service_that_is_not_there_says_so(name: str) -> None:
    with pytest.raises(Untranslated):
        SERVICES[name][0](f"http://127.0.0.1:{free_port()}", PATIENCE).translate(ENGLISH, source="en", target="ko")


def test_libretranslate_is_asked_as_its_documentation_says() -> None:
    with serving("libretranslate") as server:
        ask("libretranslate", server)

    (request,) = server.accepted
    assert request.path == "/translate"
    assert json.loads(request.body) == {
        "q": ENGLISH, "source": "en", "target": "ko", "format": "text", "api_key": "key",
    }  # fmt: skip


def test_papago_is_asked_as_its_documentation_says() -> None:
    with serving("papago") as server:
        ask("papago", server)

    (request,) = server.accepted
    headers = {key.upper(): value for key, value in request.headers.items()}
    assert request.path == "/nmt/v1/translation"
    assert (headers["X-NCP-APIGW-API-KEY-ID"], headers["X-NCP-APIGW-API-KEY"]) == ("id", "key")
    assert dict(urllib.parse.parse_qsl(request.body.decode())) == {"source": "en", "target": "ko", "text": ENGLISH}


def test_deepl_is_asked_as_its_documentation_says() -> None:
    with serving("deepl") as server:
        ask("deepl", server)

    (request,) = server.accepted
    assert request.path == "/v2/translate"
    assert request.headers["Authorization"] == "DeepL-Auth-Key key:fx"
    assert json.loads(request.body) == {"text": [ENGLISH], "source_lang": "EN", "target_lang": "KO"}
    assert (address_of("k:fx"), address_of("k")) == ("https://api-free.deepl.com", "https://api.deepl.com")


class Counted:
    """A service that counts how often it is asked, and fails when told."""

    name = "counted"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = False

    def translate(self, sentence: str, *, source: str, target: str) -> str:
        """Translate by putting it into brackets."""
        self.asked.append(sentence)
        if self.fails:
            raise Untranslated("not today")
        return f"[{sentence}]"


@pytest.fixture
def service() -> Counted:
    return Counted()


@pytest.fixture
def kept(tmp_path: Path, service: Counted) -> Iterator[CachedTranslator]:
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.require_current(engine)
    yield CachedTranslator(service, OfflineTranslator(), engine, limit=3, metrics=NoMetrics())
    engine.dispose()


def test_a_sentence_is_asked_for_once(kept: CachedTranslator, service: Counted) -> None:
    for _ in range(3):
        assert kept.translate(ENGLISH, source="en", target="ko") == f"[{ENGLISH}]"

    assert service.asked == [ENGLISH]


def test_beyond_its_limit_the_memory_forgets_the_oldest(kept: CachedTranslator, service: Counted) -> None:
    moments = iter(datetime(2026, 1, 1, 0, minute, tzinfo=UTC) for minute in range(9))
    kept.clock = lambda: next(moments)
    for sentence in "abcd":
        kept.translate(sentence, source="en", target="ko")

    kept.translate("d", source="en", target="ko")
    kept.translate("a", source="en", target="ko")

    assert service.asked == ["a", "b", "c", "d", "a"]


def test_while_a_service_fails_the_grammar_stands_in_and_the_service_is_left_alone(
    kept: CachedTranslator, service: Counted
) -> None:
    now = [0.0]
    kept.seconds = lambda: now[0]
    service.fails = True

    said = [kept.translate(ENGLISH, source="en", target="ko") for _ in range(3)]
    assert said == ["남자가 총을 들고 있다"] * 3
    assert len(service.asked) == 1

    now[0], service.fails = REST_SECONDS, False
    assert kept.translate(ENGLISH, source="en", target="ko") == f"[{ENGLISH}]"


def test_a_sentence_in_the_readers_language_is_left_alone(kept: CachedTranslator, service: Counted) -> None:
    assert kept.versions(ENGLISH, source="en-US", target="en") == (ENGLISH,)
    assert service.asked == []


def test_a_locked_database_costs_the_memory_and_not_the_alert(tmp_path: Path, service: Counted) -> None:
    engine = open_engine(tmp_path / "wordcam.db", wait_seconds=0.05)
    migrate.require_current(engine)
    kept = CachedTranslator(service, OfflineTranslator(), engine, limit=3, metrics=NoMetrics())

    with writing(engine):
        assert kept.translate(ENGLISH, source="en", target="ko") == f"[{ENGLISH}]"

    with reading(engine) as connection:
        assert cache.find(connection, "counted", "ko", ENGLISH) is None
    engine.dispose()


@pytest.mark.parametrize(
    ("translation", "said"),
    [
        ({"by": "libretranslate"}, "`by: libretranslate` needs `base_url`"),
        ({"by": "papago"}, "`by: papago` needs `key_id`"),
        ({"by": "deepl"}, "translation.secret_file: no key"),
        ({"by": "babelfish"}, "translation.by: Invalid enum value 'babelfish'"),
    ],
    ids=["no address", "no id", "no key", "unknown"],
)
def test_a_mistake_in_the_settings_is_named(tmp_path: Path, translation: dict[str, str], said: str) -> None:
    path = write_config(tmp_path, translation=translation)

    with pytest.raises(Misconfigured, match=said):
        factory.translator(broker.load(path), None, NoMetrics())


def test_request_bodies_never_hold_a_key_in_the_address(name: str) -> None:
    with serving(name) as server:
        ask(name, server)

    (request,) = server.accepted
    assert isinstance(request, Request)
    assert "key" not in request.path

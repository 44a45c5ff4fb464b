"""What docs/security.md says of the server, item by item: each docstring here is one item, word for word."""

import hashlib
import logging
import re
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest
from sqlalchemy import Table, select

from broker.cli import main
from broker.config import broker as config_file
from broker.config.broker import Config
from broker.config.monitor import Monitor
from broker.config.retention import Retention
from broker.config.sites import Places
from broker.config.web import Web
from broker.incidents import store
from broker.incidents.incident import State
from broker.ingest import decoder
from broker.ingest.decoder import Message, Rejection
from broker.monitor.metrics import PrometheusMetrics
from broker.monitor.ping import Pinger
from broker.notify.message import segments
from broker.notify.senders import apprise
from broker.notify.translation.none import NoTranslation
from broker.ports import IngestedBatch, NoMetrics
from broker.retention import audit, export
from broker.retention.audit import Entry
from broker.store import migrate
from broker.store.engine import open_engine, reading
from broker.store.tables import console, core
from broker.web.accounts import sessions, users
from broker.web.accounts.account import Role
from broker.web.accounts.throttle import PER_NAME_AND_NETWORK
from broker.web.http_protocol import TimedProtocol
from broker.web.request.state import Console
from contract import topics
from foundation.errors import MISCONFIGURED, Misconfigured
from testing.fake_twilio import TOKEN
from testing.loopback import free_port
from tests.broker.device import event, said
from tests.broker.running_service import write_config
from tests.broker.web import sample, seeded_captions
from tests.broker.web.sample import PASSWORD
from tests.broker.web.serving import Browser, serving
from tests.broker.web.test_api import make_token

PAGE = Path(__file__).resolve().parents[3] / "docs" / "security.md"

SECTIONS = (
    *("What the alert service accepts", "The console", "Retention and erasure", "Metrics"),
    "Secrets on the server",
)

PAGES = (
    *("/", "/incidents", "/incidents/4", "/history", "/history.csv", "/devices", "/plots", "/rules", "/silences"),
    *("/visits", "/messages", "/audit", "/users", "/privacy", "/account", "/live/stream", "/plans/harbour"),
    *("/devices/harbour/pi-01", "/enrolment"),
)

FORMS = (
    "/incidents/4/resolve",
    "/silences",
    "/rules",
    "/users",
    "/account/tokens",
    "/privacy/sentences",
    "/logout",
    "/enrolment",
    "/devices/harbour/pi-01/revoke",
)

SECRET = "zanzibar"
"""A word that a camera says once, and that stands nowhere else."""

PHONE = "+12025550143"


def items(section: str) -> list[str]:
    """Give the items of the list of a section, each on one line."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    found = re.findall(r"^- (.+(?:\n  .+)*)", text, flags=re.MULTILINE)
    return [" ".join(item.split()) for item in found]


def test_every_item_of_the_page_is_repeated_by_a_test_and_every_test_is_an_item() -> None:
    promised = [item for section in SECTIONS for item in items(section)]
    tests = [one for name, one in vars(sys.modules[__name__]).items() if name.startswith("test_") and one.__doc__]

    assert len(promised) > 40
    assert sorted(" ".join(one.__doc__.split()) for one in tests) == sorted(promised)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A site with Twilio, links and people, and some hours behind it."""
    return sample.fill(seeded_captions.config(tmp_path_factory.mktemp("security")), hours=1)


@pytest.fixture
def fresh(tmp_path: Path) -> Config:
    """A site of its own, which a test may lock up."""
    return sample.fill(sample.config(tmp_path), hours=0)


def rows(config: Config, table: Table) -> list[dict[str, object]]:
    """Give everything in a table."""
    found: list[dict[str, object]] = seeded_captions.look(
        config, lambda connection: [dict(row._mapping) for row in connection.execute(select(table))]
    )
    return found


def log_of(config: Config) -> list[Entry]:
    """Give the audit log, newest first."""
    found: list[Entry] = seeded_captions.look(config, lambda connection: audit.newest(connection, limit=200))
    return found


# What the alert service accepts


def refused(payload: bytes, topic: str = "wordcam/v1/north-gate/pi-01/caption") -> Rejection:
    found = decoder.read(Message(topic, payload))
    assert isinstance(found, Rejection)
    return found


def test_a_broken_caption(config: Config) -> None:
    """A caption that breaks the contract is refused and counted, and nothing of it is stored as a caption."""
    before = len(rows(config, core.caption))
    broken = Message(topics.topic("harbour", "pi-01", "caption"), b'{"text": "zanzibar"}')

    sample.accept(config, broken)

    assert len(rows(config, core.caption)) == before
    assert seeded_captions.refused(config)["schema"] == 1


def test_a_caption_of_another_device() -> None:
    """A caption that names another site or device than its topic is refused."""
    payload = said(event("a man walks")).payload

    assert refused(payload, "wordcam/v1/north-gate/pi-02/caption").reason == "not-ours"
    assert refused(payload, "wordcam/v1/pier/pi-01/caption").reason == "not-ours"


def test_sql_in_a_caption(config: Config) -> None:
    """SQL in a caption is stored as text."""
    sql = "'; DROP TABLE caption; --"

    sample.say(config, sample.caption(sql, 8001, datetime.now(UTC)))

    assert sql in [row["text"] for row in rows(config, core.caption)]


@given(st.text(max_size=200))
def test_invisible_characters(text: str) -> None:
    """Invisible and control characters of a caption do not reach a notification."""
    shown = segments.harmless(text)

    assert not {unicodedata.category(sign) for sign in shown if sign != "\u200d"} & {"Cc", "Cf", "Cs"}


@pytest.mark.parametrize("link", ["https://evil.example/x", "evil.example", "tel:+1", "a@evil.example"])
def test_links_in_a_caption(link: str) -> None:
    """Links in a caption are broken up in notifications."""
    assert link not in segments.harmless(f"a man sees {link} there")


def test_calls_to_everybody() -> None:
    """Signs in a caption that call everybody in a chat are replaced."""
    assert not {"<", ">", "@", "`"} & set(apprise.plain("<!channel> @everyone `x` <https://evil|safe>"))


def test_a_clock_that_is_ahead(config: Config) -> None:
    """A caption of a clock that is ahead counts as taken when it arrives, and is counted."""
    now = datetime.now(UTC)

    sample.say(config, sample.caption("a horse of the future", 8002, now + timedelta(days=9)), at=now)

    taken = [row["captured_at"] for row in rows(config, core.caption) if row["text"] == "a horse of the future"]
    assert taken == [now]
    assert seeded_captions.refused(config)["future"] == 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (rb'"captured_at":"[^"]+"', b'"captured_at":"0001-01-01T00:00:00Z"'),
        (rb'"captured_at":"[^"]+"', b'"captured_at":"2026-13-14T00:00:00Z"'),
        (rb'"captured_at":"[^"]+"', b'"captured_at":"2026-03-14T00:00:00"'),
        (rb'"seq":0', b'"seq":-1'),
        (rb'"seq":0', b'"seq":99999999999999999999'),
        (rb'"confidence":[0-9.]+', b'"confidence":1e999'),
        (rb'"confidence":[0-9.]+', b'"confidence":NaN'),
    ],
)
def test_impossible_dates_and_numbers(right: bytes, wrong: bytes) -> None:
    """Dates and numbers that no clock or database can hold are refused."""
    payload = re.sub(right, wrong, said(event("a man walks")).payload)
    assert wrong in payload

    assert refused(payload).reason in ("schema", "not-json")


def test_a_reply_without_a_signature(config: Config, address: str) -> None:
    """A reply counts only with Twilio's signature."""
    incident = seeded_captions.tell(config)
    form = {"MessageSid": seeded_captions.sid(9101), "From": PHONE, "Body": f"1 #{incident.id}"}

    for forged in ("", "x" * 28):
        assert seeded_captions.post(address, "/twilio/inbound", form, signature=forged).status_code == 403
    assert seeded_captions.now(config, incident).state is State.OPEN


def test_a_reply_of_a_stranger(config: Config, address: str) -> None:
    """A reply counts only from a known number, about an incident that its owner was notified of."""
    incident = seeded_captions.tell(config, person=1)

    for number, phone in enumerate(("+12025550199", PHONE)):
        form = {"MessageSid": seeded_captions.sid(9200 + number), "From": phone, "Body": f"ok {incident.id}"}
        assert seeded_captions.post(address, "/twilio/inbound", form).status_code == 200

    assert seeded_captions.now(config, incident).state is State.OPEN


# The console


def test_open_to_the_network_without_https() -> None:
    """Without https the console listens on loopback alone."""
    for host in ("0.0.0.0", "::", "192.0.2.1", "wordcam.example"):
        with pytest.raises(ValueError, match="passwords would travel in the clear"):
            Web(host=host)


def test_no_first_account(tmp_path: Path) -> None:
    """There is no account before someone creates one."""
    engine = open_engine(tmp_path / "new.db")
    migrate.migrate(engine)
    with reading(engine) as connection:
        assert users.everyone(connection) == []
    engine.dispose()


@pytest.mark.parametrize("path", PAGES)
def test_without_a_login(stranger: Browser, path: str) -> None:
    """Without a login there is no page, no floor plan and no live stream."""
    answer = stranger.http.get(path)

    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")


def test_what_a_guard_cannot_do(guard: Browser) -> None:
    """A guard cannot silence, export, read the audit log or manage accounts."""
    wish = {"matchers": "site=harbour", "hours": "2", "reason": "x", "sentence": "x"}

    assert {guard.http.get(path).status_code for path in ("/history.csv", "/audit", "/messages", "/users")} == {403}
    assert {guard.send(path, wish).status_code for path in ("/silences", "/users", "/users/1", "/rules")} == {403}


def test_what_a_supervisor_cannot_do(supervisor: Browser) -> None:
    """A supervisor cannot manage accounts or delete captions."""
    assert {supervisor.http.get(path).status_code for path in ("/users", "/privacy")} == {403}
    for path in ("/users", "/users/1", "/privacy/sentences", "/privacy/number"):
        assert supervisor.send(path, {"site": "harbour", "sure": "yes", "phone": PHONE}).status_code == 403


def test_how_a_password_is_stored(config: Config) -> None:
    """A password is stored as an argon2id hash."""
    assert {str(row["password"])[:10] for row in rows(config, console.account)} == {"$argon2id$"}
    assert not any(PASSWORD.encode() in path.read_bytes() for path in files(config))


def files(config: Config) -> list[Path]:
    """Give the files of a database."""
    assert config.database.path is not None
    return sorted(config.database.path.parent.glob(f"{config.database.path.name}*"))


@pytest.mark.parametrize("role", Role)
def test_a_common_password(administrator: Browser, role: Role) -> None:
    """A common password is refused for every role."""
    fields = {"name": f"new-{role}", "password": "password1234", "role": role.value, "language": "en"}

    answer = administrator.send("/users", fields)

    assert answer.status_code == 400
    assert "too easy to guess" in answer.text


@pytest.mark.parametrize(
    "addresses", [["192.0.2.7"] * 6, [f"2001:db8:1:2::{number}" for number in range(6)]], ids=["IPv4", "IPv6"]
)
def test_wrong_passwords(fresh: Config, addresses: list[str]) -> None:
    """Five wrong passwords from one network make it wait; the networks of one IPv6 subscriber, a /64, count as one."""
    proxied = msgspec.structs.replace(fresh, web=Web(port=0, trusted_proxies=("127.0.0.1",)))

    def attempt(address: str) -> int:
        with Browser(address_) as browser:
            browser.http.headers["x-forwarded-for"] = address
            return browser.login("mina", "wrong").status_code

    with serving(proxied) as address_:
        assert [attempt(one) for one in addresses] == [401] * PER_NAME_AND_NETWORK.tries + [429]
        assert attempt("198.51.100.1") == 401


def test_guesses_at_the_same_moment(fresh: Config) -> None:
    """Guesses at the same moment get no more tries than one after the other."""

    def guess(_number: int) -> int:
        with Browser(address) as browser:
            return browser.login("mina", "wrong").status_code

    with serving(fresh) as address, ThreadPoolExecutor(30) as pool:
        outcomes = list(pool.map(guess, range(30)))

    assert sorted(outcomes) == [401] * PER_NAME_AND_NETWORK.tries + [429] * (30 - PER_NAME_AND_NETWORK.tries)


def test_wrong_passwords_of_strangers(fresh: Config) -> None:
    """Wrong passwords of strangers do not keep out a browser that has logged in to the account before."""
    with serving(fresh) as address, Browser(address) as known, Browser(address) as stranger:
        known.login("mina")
        known.send("/logout")
        while stranger.login("mina", "wrong").status_code != 429:
            pass

        assert known.login("mina").status_code == 303


def test_an_unknown_name(fresh: Config) -> None:
    """An unknown name is refused as a wrong password is."""
    with serving(fresh) as address, Browser(address) as browser:
        answers = [browser.login(name, "wrong") for name in ("mina", "nobody")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert len({re.sub(r'value="[^"]*"', "", answer.text) for answer in answers}) == 1


def test_cookies(fresh: Config) -> None:
    """Cookies are hidden from scripts and from other sites' forms, and with https are sent by https alone."""
    port = free_port()
    secure = msgspec.structs.replace(fresh, web=Web(port=port, public_url="https://wordcam.example"))
    with serving(secure), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        form = client.get("/login")
        word = re.findall(r'name="csrf" value="([^"]+)"', form.text)[0]
        cookies = {"cookie": form.headers["set-cookie"].partition(";")[0]}
        answer = client.post("/login", data={"name": "mina", "password": PASSWORD, "csrf": word}, headers=cookies)

    made = [cookie.lower() for cookie in answer.headers.get_list("set-cookie")]
    assert sorted(cookie.partition("=")[0] for cookie in made) == [
        "__host-wordcam",
        "__host-wordcam-browser",
        "wordcam-form",
    ]
    for cookie in made:
        assert {"httponly", "secure", "samesite=lax"} <= {part.strip() for part in cookie.split(";")}


def test_what_is_stored_of_a_word(config: Config, cookies: dict[str, str]) -> None:
    """Words of sessions, browsers and tokens are stored as SHA-256 alone."""
    token = make_token(config, "lee")

    digests = {row["digest"] for table in (console.web_session, console.api_token) for row in rows(config, table)}
    assert {hashlib.sha256(word.encode()).hexdigest() for word in (*cookies.values(), token)} <= digests
    assert all(len(str(row["digest"])) == 64 for row in rows(config, console.known_browser))
    for word in (*cookies.values(), token):
        assert not any(word.encode() in path.read_bytes() for path in files(config))


@pytest.mark.parametrize("change", [{"password": "another long phrase"}, {"role": "supervisor"}, {"disabled": "yes"}])
def test_a_changed_account(administrator: Browser, address: str, config: Config, change: dict[str, str]) -> None:
    """A new password, role or lock ends every session of the account."""
    name = f"changed-{next(iter(change))}"
    fields = {"name": name, "password": "a long enough phrase", "role": "guard", "language": "en"}
    administrator.send("/users", fields)
    number = next(row["id"] for row in rows(config, console.account) if row["name"] == name)
    with Browser(address) as browser:
        browser.login(name, "a long enough phrase")
        assert browser.http.get("/").status_code == 200

        administrator.send(f"/users/{number}", change)

        assert browser.http.get("/").status_code == 303


def test_how_long_a_session_lasts(config: Config, cookies: dict[str, str]) -> None:
    """A session ends after its hours, and after its idle minutes."""
    digest = sessions.digest(cookies["mina"])
    now = datetime.now(UTC)

    def holds(after: timedelta, web: Web) -> bool:
        own = msgspec.structs.replace(config, web=web)
        engine = open_engine(files(config)[0])
        looked = Console(engine, own, Places.of(own), NoTranslation(), clock=lambda: now + after).session(digest)
        engine.dispose()
        return looked is not None

    assert holds(timedelta(minutes=59), Web(session_hours=12, idle_minutes=62))
    assert not holds(timedelta(minutes=61), Web(session_hours=1, idle_minutes=600))
    assert not holds(timedelta(hours=11), Web(session_hours=12, idle_minutes=60))


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_its_word(administrator: Browser, supervisor: Browser, path: str) -> None:
    """A form without the word of its own session is refused."""
    for word in ({}, {"csrf": ""}, {"csrf": "guess"}, {"csrf": supervisor.word("/account")}):
        assert administrator.http.post(path, data=word).status_code == 403


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "header",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}],
    ids=str,
)
def test_a_form_of_another_site(administrator: Browser, path: str, header: dict[str, str]) -> None:
    """A form that another site sends is refused."""
    form = {"csrf": administrator.word("/account")}
    if "origin" in header:
        del administrator.http.headers["sec-fetch-site"]

    assert administrator.http.post(path, data=form, headers=header).status_code == 403


@pytest.mark.parametrize(
    "wished", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
)
def test_where_the_login_leads(address: str, wished: str) -> None:
    """The login never leads to another site."""
    with Browser(address) as browser:
        fields = {"name": "lee", "password": PASSWORD, "next": wished}
        assert browser.send("/login", fields, form="/login").headers["location"] == "/"


@pytest.mark.parametrize("path", ["/", "/history?site=harbour", "/devices"])
def test_html_in_a_caption(config: Config, guard: Browser, path: str) -> None:
    """HTML in a caption is shown as text."""
    number = 8100 + sum(map(ord, path))
    sample.say(config, sample.caption("<script>alert(1)</script>", number, datetime.now(UTC)))

    page = guard.http.get(path).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("path", ["/login", "/", "/api/v1/captions", "/static/console.js", "/nowhere", "/healthz"])
def test_what_every_answer_forbids(address: str, path: str) -> None:
    """Every answer forbids scripts and styles in the page, and frames around it."""
    headers = httpx.get(address + path).headers

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_caches(guard: Browser) -> None:
    """Pages are kept by no cache."""
    for path in ("/", "/incidents/4", "/history", "/devices", "/login"):
        assert guard.http.get(path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("text", ["=1", " =1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1"])
def test_formulas(text: str) -> None:
    """A cell of an export that a spreadsheet would take for a formula is quoted."""
    assert export.cell(text) == f"'{text}"


def test_large_bodies(guard: Browser, address: str) -> None:
    """A body of more than 64 kB is refused."""
    word = guard.word("/account")

    assert guard.http.post("/incidents/4/notes", data={"csrf": word, "text": "x" * 70_000}).status_code == 413
    assert httpx.post(f"{address}/login", content=iter([b"x" * 40_000] * 2)).status_code == 413
    assert httpx.post(f"{address}/twilio/inbound", data={"Body": "x" * 70_000}).status_code == 413


class Impatient(TimedProtocol):
    """One that a test can wait for."""

    stall_seconds = 0.5


def test_a_request_that_stalls(config: Config) -> None:
    """A request that does not arrive in time is ended."""

    stopped = threading.Event()

    def half() -> Iterator[bytes]:
        yield b"name=mina"
        stopped.wait(60)

    with serving(config, protocol=Impatient) as address:
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{address}/login", content=half(), timeout=60)
        stopped.set()


@pytest.mark.parametrize(
    "content", [b"<svg onload='alert(1)'/>", b"GIF89a", b"", b"\x89PNG\r\n\x1a\nbroken", b"<html>"]
)
def test_what_is_no_floor_plan(administrator: Browser, content: bytes) -> None:
    """A floor plan is a PNG or JPEG picture; SVG is refused."""
    form = {"csrf": administrator.word("/account")}

    answer = administrator.http.post("/plans/harbour", data=form, files={"picture": ("x.png", content, "image/png")})

    assert answer.status_code == 400


def test_the_api_and_cookies(guard: Browser) -> None:
    """The API takes tokens and no cookies."""
    for path in ("/captions", "/incidents", "/devices", "/silences"):
        assert guard.http.get(f"/api/v1{path}").status_code == 401
    assert guard.http.post("/api/v1/incidents/4/resolve").status_code == 401


def test_dead_tokens(config: Config, address: str, guard: Browser) -> None:
    """A token that has expired or was revoked opens nothing."""
    expired = make_token(config, "mina", valid=timedelta(seconds=-1))
    page = guard.send("/account/tokens", {"label": "revoked", "days": "30"}).text
    revoked = re.findall(r"wck_[\w-]+", page)[0]

    def opens(token: str) -> bool:
        headers = {"authorization": f"Bearer {token}"}
        return httpx.get(f"{address}/api/v1/incidents", headers=headers).status_code == 200

    assert opens(revoked)
    number = max(int(str(row["id"])) for row in rows(config, console.api_token))
    guard.send(f"/account/tokens/{number}/end")
    assert not opens(revoked)
    assert not opens(expired)


def test_opening_a_link(config: Config, address: str) -> None:
    """Opening a link of a notification changes nothing."""
    incident = seeded_captions.tell(config)
    link = seeded_captions.signer(config).link(seeded_captions.alert_of(config, incident).id)
    url = address + link.removeprefix(seeded_captions.PUBLIC)

    for _ in range(3):
        assert httpx.get(url).status_code == 200
        httpx.head(url)

    assert seeded_captions.now(config, incident).state is State.OPEN


def test_a_forged_link(config: Config, address: str) -> None:
    """A forged link opens nothing."""
    incident = seeded_captions.tell(config)
    link = seeded_captions.signer(config).link(seeded_captions.alert_of(config, incident).id)
    path = link.removeprefix(seeded_captions.PUBLIC)

    for forged in (path[:-1] + ("A" if path[-1] != "A" else "B"), path[:3] + "x" + path[4:], "/a/1", "/a/" + "x" * 300):
        assert httpx.post(address + forged).status_code in (404, 410)
    assert seeded_captions.now(config, incident).state is State.OPEN


ANYTHING = (
    st.text(max_size=40) | st.integers().map(str) | st.floats().map(str) | st.sampled_from(["9" * 40, "\x00", "%"])
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from([*(one for one in PAGES if one != "/live/stream"), "/a/x", "/login", "/nowhere"]),
    asked=st.dictionaries(
        st.sampled_from(["before", "state", "site", "device", "day", "rule", "danger", "q", "span", "actor", "next"]),
        ANYTHING,
        max_size=4,
    ),
)
def test_any_address(administrator: Browser, path: str, asked: dict[str, str]) -> None:
    """No address and no form makes a page fail."""
    assert administrator.http.get(path, params=asked).status_code < 500
    word = {"csrf": administrator.word("/account")}
    for form in ("/silences", "/rules", "/privacy/sentences", "/privacy/number", "/incidents/4/notes", "/users/99"):
        fields = {"matchers": "x", "hours": "x"} | {name: value for name, value in asked.items() if name != "device"}
        assert administrator.http.post(form, data=fields | word).status_code < 500


def test_what_an_error_says(address: str) -> None:
    """An error says nothing of the inside."""
    answer = httpx.get(f"{address}/api/v1/captions", headers={"authorization": "Bearer nonsense"})
    page = httpx.get(f"{address}/nowhere")

    assert answer.json() == {"status": 401, "problem": "Unauthorized"}
    assert not re.search(r"Traceback|sqlite|File \"|/site-packages/|Litestar|uvicorn", page.text + str(page.headers))


@pytest.mark.parametrize(("trusted", "counted"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9")], ids=str)
def test_the_address_of_a_visitor(fresh: Config, trusted: tuple[str, ...], counted: str) -> None:
    """A visitor's address is taken from `X-Forwarded-For` only of a trusted proxy."""
    own = msgspec.structs.replace(fresh, web=Web(port=0, trusted_proxies=trusted))
    with serving(own) as address, Browser(address) as browser:
        browser.http.headers["x-forwarded-for"] = "203.0.113.9"
        browser.login("mina", "wrong")

    assert (log_of(fresh)[0].action, log_of(fresh)[0].address) == ("login-refused", counted)


def test_a_proxy_that_is_not_trusted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` warns where a proxy is likely and none is trusted."""
    for trusted, warned in (([], True), (["127.0.0.1"], False)):
        web = {"public_url": "https://wordcam.example", "trusted_proxies": trusted}
        main.main(["check", "--config", str(write_config(tmp_path, web=web))])
        captured = capsys.readouterr()
        assert ("web.trusted_proxies" in captured.out + captured.err) is warned


def test_the_audit_log(fresh: Config) -> None:
    """Logins, refused logins, answers, exports and changes are in the audit log with name and address."""
    with serving(fresh) as address, Browser(address) as browser:
        browser.login("admin", "wrong")
        browser.login("admin")
        browser.send("/incidents/4/acknowledge")
        browser.http.get("/history.csv")
        browser.send("/silences", {"matchers": "site=harbour", "hours": "2", "reason": "a drill"})
        browser.send("/users", {"name": "kim", "password": "a long enough phrase", "role": "guard", "language": "en"})
        browser.send("/users/1", {"role": "supervisor"})

    entries = log_of(fresh)[::-1]
    assert [entry.action for entry in entries] == [
        *("login-refused", "login", "acknowledge", "export", "silence", "user-added", "user-role"),
    ]
    assert {(entry.actor, entry.address) for entry in entries} == {("admin", "127.0.0.1")}


def test_what_probes_say(address: str, config: Config) -> None:
    """`/healthz` and `/readyz` name no path, no version and no person."""
    for path in ("/healthz", "/readyz"):
        answer = httpx.get(address + path).text
        assert not re.search(r"[0-9]+\.[0-9]+\.[0-9]|mina|guard", answer)
        assert str(config.rules_file) not in answer
        assert "wordcam.db" not in answer


# Retention and erasure


def test_how_long_things_are_kept() -> None:
    """Captions are kept for 30 days and the audit log for two years, unless the configuration says otherwise."""
    assert (Retention().captions_days, Retention().audit_days) == (30, 730)


@pytest.fixture
def forgetful(tmp_path: Path) -> tuple[Config, Callable[..., None]]:
    """A site whose camera has said the secret word, and the command that forgets."""
    path = sample.config(tmp_path)
    made = sample.fill(path, hours=0)
    sample.say(made, sample.caption(f"a man from {SECRET}", 8201, datetime.now(UTC), device="pi-02"))

    def forget(*words: str) -> None:
        assert main.main(["forget", *words, "--config", str(path)]) == 0

    return made, forget


Forgetful = tuple[Config, Callable[..., None]]


def test_forgetting_counts_first(forgetful: Forgetful) -> None:
    """`forget` counts first, and deletes only with `--yes`."""
    config, forget = forgetful

    forget("--site", "harbour", "--device", "pi-02")

    assert f"a man from {SECRET}" in [row["text"] for row in rows(config, core.caption)]


def test_what_is_left_of_forgotten_words(forgetful: Forgetful) -> None:
    """What is forgotten is nowhere in the files of the database."""
    config, forget = forgetful
    assert any(SECRET.encode() in path.read_bytes() for path in files(config))

    forget("--site", "harbour", "--device", "pi-02", "--yes")

    assert not any(SECRET.encode() in path.read_bytes() for path in files(config))


def test_what_stays_of_an_incident(forgetful: Forgetful) -> None:
    """That there was an incident stays."""
    config, forget = forgetful

    forget("--site", "harbour", "--yes")

    assert {row["id"] for row in rows(config, core.incident)} == {1, 2, 3, 4}


def test_what_the_audit_log_says_of_forgetting(forgetful: Forgetful) -> None:
    """The audit log says who asked to forget and how much, and not what."""
    config, forget = forgetful

    forget("--site", "harbour", "--device", "pi-02", "--yes", "--by", "kim")

    entry = log_of(config)[0]
    assert (entry.actor, entry.action, entry.subject) == ("kim", "forget", "site=harbour device=pi-02")
    assert re.fullmatch(r"[0-9]+ \w+", entry.detail)


def test_an_open_incident_is_not_forgotten(forgetful: Forgetful) -> None:
    """What an open incident is about cannot be forgotten."""
    config, forget = forgetful

    forget("--site", "harbour", "--yes")

    assert "a man is holding a gun" in [row["text"] for row in rows(config, core.caption)]
    assert seeded_captions.look(config, lambda connection: store.get(connection, 4)).caption_id is not None


def test_a_phone_number_is_forgotten(config: Config, administrator: Browser) -> None:
    """A phone number is deleted from all notifications that were sent."""
    seeded_captions.tell(config)
    assert any(row["phone"] == PHONE and row["state"] == "sent" for row in rows(config, core.alert))

    administrator.send("/privacy/number", {"phone": PHONE, "sure": "yes"})

    assert not any(row["phone"] == PHONE and row["state"] == "sent" for row in rows(config, core.alert))


# Metrics


def test_where_the_monitor_listens(tmp_path: Path) -> None:
    """Without the part `monitor` nothing listens; with it, it listens on loopback by default."""
    assert config_file.load(write_config(tmp_path)).monitor is None
    assert Monitor().host == "127.0.0.1"


def test_what_metrics_hold() -> None:
    """Metrics hold no sentence and no phone number."""
    metrics = PrometheusMetrics()
    heard = event(f"a man from {SECRET} calls {PHONE}")
    metrics.took_in(IngestedBatch(messages=1, commit_seconds=0.1, heard=[heard], stored=1, refused={"schema": 1}))

    shown = generate_latest(metrics.registry).decode()

    assert "wordcam_" in shown
    assert SECRET not in shown
    assert PHONE not in shown


def test_the_ping_url(caplog: pytest.LogCaptureFixture) -> None:
    """The ping URL is in no log line."""
    url = f"http://127.0.0.1:{free_port()}/{SECRET}"
    with caplog.at_level(logging.DEBUG):
        Pinger(url, 0.01, 5, tells_failure=False, is_ready=lambda: True, metrics=NoMetrics()).step()

    assert caplog.records
    assert SECRET not in str([vars(record) for record in caplog.records if record.name.startswith("broker")])


# Secrets on the server


@pytest.mark.parametrize(
    "part",
    [
        {"twilio": {"account_sid": "AC" + "0" * 32, "auth_token": SECRET, "sender": PHONE}},
        {"mqtt": {"password": SECRET}},
        {"database": {"url": f"postgresql://wordcam:{SECRET}@db.example/wordcam"}},
        {"links": {"base_url": "https://wordcam.example", "secret": SECRET}},
    ],
    ids=lambda part: str(next(iter(part))),
)
def test_a_secret_in_the_file(tmp_path: Path, part: dict[str, object]) -> None:
    """A secret in the YAML file is refused."""
    path = write_config(tmp_path)
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | part), encoding="utf-8")

    with pytest.raises(Misconfigured) as refusal:
        config_file.load(path)
    assert SECRET not in str(refusal.value)


def test_who_can_read_the_database(tmp_path: Path) -> None:
    """The database is readable by its owner alone."""
    engine = open_engine(tmp_path / "folder" / "wordcam.db")
    migrate.migrate(engine)
    with engine.connect():
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "folder").iterdir()}
    engine.dispose()

    assert {"wordcam.db", "wordcam.db-wal", "wordcam.db-shm"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_what_check_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`check` prints no secret."""
    for variable in ("WORDCAM_MQTT_PASSWORD", "WORDCAM_LINK_SECRET", "WORDCAM_PING_URL"):
        monkeypatch.setenv(variable, f"https://{SECRET}.example/a-long-random-word-of-a-test")

    outcome = main.main(["check", "--config", str(seeded_captions.config(tmp_path))])

    printed = capsys.readouterr()
    assert outcome in (0, 75, MISCONFIGURED)
    assert printed.out or printed.err
    assert SECRET not in printed.out + printed.err
    assert TOKEN not in printed.out + printed.err

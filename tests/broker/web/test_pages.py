"""What guards, supervisors and administrators do on the pages, and what is written down of it."""

import struct
import zlib

import pytest

from broker.config.broker import Config
from broker.incidents import store
from broker.retention import audit
from broker.retention.audit import Entry
from broker.store.engine import open_database, reading
from tests.broker.web import sample
from tests.broker.web.serving import Browser


def _png(width: int = 40, height: int = 30) -> bytes:
    """Draw a grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + b"\x80" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def _last(config: Config) -> Entry:
    engine = open_database(config.database)
    with reading(engine) as connection:
        entry = audit.newest(connection, limit=1)[0]
    engine.dispose()
    return entry


def test_a_guard_acknowledges_and_it_is_written_down(guard: Browser, config: Config) -> None:
    answer = guard.send("/incidents/4/acknowledge")

    assert answer.headers["location"] == "/incidents/4"
    page = guard.http.get("/incidents/4").text
    assert "Acknowledged by mina." in page
    assert "in the console" in page
    entry = _last(config)
    assert (entry.actor, entry.action, entry.subject) == ("mina", "acknowledge", "incident 4")


def test_whoever_comes_second_is_told_who_was_first(supervisor: Browser) -> None:
    supervisor.http.headers["hx-request"] = "true"
    form = {"csrf": Browser.word(supervisor, "/incidents/3")}

    answer = supervisor.http.post("/incidents/3/acknowledge", data=form)

    assert "mina has already acknowledged it." in answer.text
    assert "<html" not in answer.text


def test_an_incident_shows_every_reason(guard: Browser) -> None:
    page = guard.http.get("/incidents/3").text

    assert "says &#39;fire&#39;" in page
    assert "nobody was notified yet" in page
    assert "Fire brigade called" in page


def test_a_supervisor_takes_back_what_a_false_alarm_has_raised(
    supervisor: Browser, guard: Browser, config: Config
) -> None:
    number = sample.raise_threshold(config)
    assert f"/silences/thresholds/{number}/end" not in guard.http.get("/silences").text

    page = supervisor.http.get("/silences").text
    assert "Above 70 % evidence" in page
    assert f"/silences/thresholds/{number}/end" in page

    supervisor.send(f"/silences/thresholds/{number}/end")
    assert "reset by lee" in supervisor.http.get("/silences").text
    assert supervisor.send(f"/silences/thresholds/{number}/end").status_code == 404


def test_a_supervisor_silences_and_ends_it(supervisor: Browser, config: Config) -> None:
    wish = {"matchers": "site=harbour danger=fire", "hours": "2", "reason": "a drill"}

    assert supervisor.send("/silences", wish).headers["location"] == "/silences"

    page = supervisor.http.get("/silences").text
    assert "active</span>" in page
    assert "a drill" in page
    number = _last(config).subject.split()[-1]
    supervisor.send(f"/silences/{number}/end")
    assert "ended by lee" in supervisor.http.get("/silences").text


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"matchers": "", "hours": "2", "reason": "x"}, "needs matchers"),
        ({"matchers": "colour=red", "hours": "2", "reason": "x"}, "cannot be silenced"),
        ({"matchers": "site=harbour", "hours": "2", "reason": " "}, "a reason"),
        ({"matchers": "site=harbour", "hours": "-1", "reason": "x"}, "can be silenced"),
        ({"matchers": "site=harbour", "hours": "nan", "reason": "x"}, "can be silenced"),
    ],
)
def test_a_silence_that_makes_no_sense_is_explained(supervisor: Browser, wish: dict[str, str], why: str) -> None:
    answer = supervisor.send("/silences", wish)

    assert answer.status_code == 400
    assert why in answer.text


def test_a_guard_may_not_silence(guard: Browser) -> None:
    answer = guard.send("/silences", {"matchers": "site=harbour", "hours": "2", "reason": "x"})

    assert answer.status_code == 403


def test_rules_are_tried_on_what_was_said(supervisor: Browser) -> None:
    page = supervisor.send("/rules", {"when": "week"}).text

    assert "a man is holding a gun" in page
    assert "only in &#39;fire hydrant&#39;" in page


def test_a_draft_of_rules_is_tried_and_not_kept(supervisor: Browser) -> None:
    draft = "rules:\n  - name: bicycle\n    says: [bicycle]\n"

    page = supervisor.send("/rules", {"when": "week", "rules": draft}).text

    assert "a woman is riding a bicycle" in page
    assert "bicycle</th>" not in supervisor.http.get("/rules").text


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        ("rules: [{name: x}]", "can never fire"),
        ("rules: {", "not YAML"),
        ("a: &a [x]\nb: [*a, *a]\nrules: []", "aliases"),
    ],
)
def test_a_bad_draft_is_explained(supervisor: Browser, draft: str, why: str) -> None:
    answer = supervisor.send("/rules", {"rules": draft})

    assert answer.status_code == 400
    assert why in answer.text


def test_a_drawing_is_shown_with_the_devices_on_it(administrator: Browser) -> None:
    form = {"csrf": administrator.word("/account")}
    files = {"picture": ("plan.png", _png(), "image/png")}

    administrator.http.post("/plans/harbour", data=form, files=files)

    assert 'viewBox="0 0 40 30"' in administrator.http.get("/devices").text
    assert administrator.http.get("/plans/harbour").headers["content-type"].startswith("image/png")


@pytest.mark.parametrize("content", [b"<svg onload='alert(1)'/>", b"GIF89a", b"", b"\x89PNG\r\n\x1a\nbroken"])
def test_what_is_no_drawing_is_refused(administrator: Browser, content: bytes) -> None:
    form = {"csrf": administrator.word("/account")}

    answer = administrator.http.post("/plans/harbour", data=form, files={"picture": ("x.png", content, "image/png")})

    assert answer.status_code == 400


def test_a_device_is_put_on_the_plan(administrator: Browser) -> None:
    administrator.send("/plans/harbour/places", {"device": "pi-04", "x": "12.5", "y": "50"})

    assert 'value="12.5"' in administrator.http.get("/devices").text
    assert administrator.send("/plans/harbour/places", {"device": "pi-04", "x": "140", "y": "1"}).status_code == 400


def test_an_administrator_makes_an_account_that_can_log_in(administrator: Browser, address: str) -> None:
    fields = {"name": "은지", "password": "a long enough phrase", "role": "guard", "language": "ko"}

    assert administrator.send("/users", fields).headers["location"] == "/users"

    assert administrator.send("/users", fields).status_code == 409
    with Browser(address) as browser:
        assert browser.login("은지", "a long enough phrase").status_code == 303
        assert "진행 중인 사건" in browser.http.get("/").text


def test_an_administrator_cannot_lock_themselves_out(administrator: Browser) -> None:
    page = administrator.http.get("/users").text
    own = next(number for number in range(1, 9) if f'/users/{number}"' not in page)

    assert administrator.send(f"/users/{own}", {"disabled": "yes"}).status_code == 400


def test_a_locked_account_is_out_at_once(administrator: Browser, address: str) -> None:
    fields = {"name": "kim", "password": "a long enough phrase", "role": "guard", "language": "en"}
    administrator.send("/users", fields)
    page = administrator.http.get("/users").text
    number = page.split("<h2>kim")[1].split("/users/")[1].split('"')[0]
    with Browser(address) as browser:
        browser.login("kim", "a long enough phrase")
        assert browser.http.get("/").status_code == 200

        administrator.send(f"/users/{number}", {"disabled": "yes"})

        assert browser.http.get("/").status_code == 303
        assert browser.login("kim", "a long enough phrase").status_code == 401


def test_a_guard_changes_the_own_password(administrator: Browser, address: str) -> None:
    first, second = "a long enough phrase", "another long phrase"
    administrator.send("/users", {"name": "park", "password": first, "role": "guard", "language": "en"})
    with Browser(address) as browser:
        browser.login("park", first)

        assert browser.send("/account/password", {"old": "wrong", "new": second}).status_code == 400
        assert browser.send("/account/password", {"old": first, "new": "short"}).status_code == 400
        assert browser.send("/account/password", {"old": first, "new": second}).status_code == 200

    with Browser(address) as browser:
        assert browser.login("park", second).status_code == 303


def test_the_open_incidents_are_those_of_the_store(guard: Browser, config: Config) -> None:
    engine = open_database(config.database)
    with reading(engine) as connection:
        numbers = [one.id for one in store.now_open(connection)]
    engine.dispose()

    page = guard.http.get("/").text

    assert numbers
    assert all(f'id="incident-{number}"' in page for number in numbers)


def test_a_supervisor_sets_a_recipient_away_and_back(supervisor: Browser, guard: Browser, config: Config) -> None:
    name = config.recipients[0].name
    wish = {"name": name, "hours": "8", "because": "holiday"}

    assert supervisor.send("/absences", wish).headers["location"] == "/silences#away"
    page = supervisor.http.get("/silences").text
    assert "holiday" in page
    assert "/absences/end" in page
    assert "/absences/end" not in guard.http.get("/silences").text
    assert guard.send("/absences", wish).status_code == 403

    assert supervisor.send("/absences/end", {"name": name}).headers["location"] == "/silences#away"
    assert "Nobody is away." in supervisor.http.get("/silences").text
    assert supervisor.send("/absences/end", {"name": name}).status_code == 404
    assert supervisor.send("/absences", wish | {"name": "nobody"}).status_code == 404

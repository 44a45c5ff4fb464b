"""`broker.yaml` and `rules.yaml`: what is refused, and how it is said."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from broker.config import broker
from broker.config.broker import Config, Recipient, Wording, in_language
from broker.config.errors import Misconfigured
from broker.config.incidents import Escalation, PresenceSettings, Step
from broker.rules import compiler
from foundation import yaml_file
from tests.broker.running_service import RULES, write_config

SHIPPED = RULES.parent / "broker.yaml"


def problem(path: Path) -> str:
    with pytest.raises(Misconfigured) as caught:
        broker.load(path)
    assert str(caught.value).startswith(str(path))
    return without_place(str(caught.value), path)


def without_place(message: str, path: Path) -> str:
    """Take the file's name, and the line where there is one, from a message."""
    return re.sub(r"^(:\d+)?: ", "", message.removeprefix(str(path)))


def test_the_shipped_file_is_good_and_sends_nothing_for_real() -> None:
    shipped = broker.load(SHIPPED)

    assert shipped.twilio is None
    assert compiler.load(shipped.rules_file).rules
    assert all(person.e164.startswith("+120255501") for person in shipped.recipients)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    assert broker.load(write_config(tmp_path)).database.path == tmp_path / "wordcam.db"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"databse": {}}, "databse: unknown key; did you mean `database`?"),
        ({"mqtt": {"prt": 1}}, "mqtt.prt: unknown key; did you mean `port`?"),
        ({"mqtt": {"tls": {"ca": "x"}}}, "mqtt.tls.ca: unknown key; did you mean `ca_file`?"),
        ({"mqtt": {"zzz": 1}}, "mqtt.zzz: unknown key; known here: batch, "),
        ({"recipients": [{"name": "a", "phone": "+12025550143", "fone": 1}]}, "recipients[0].fone: unknown key"),
        ({"mqtt": {"port": "1883"}}, "mqtt.port: Expected `int | null`, got `str`; write a number without quotes"),
        ({"mqtt": {"port": 70000}}, "mqtt.port: Expected `int` <= 65535"),
        ({"recipients": [{"name": "a", "phone": 12025550143}]}, "recipients[0].phone: Expected `str`, got `int`; put"),
        ({"recipients": [{"name": "a", "phone": "010-1234"}]}, "recipients[0]: '010-1234' is not an international"),
        ({"recipients": [{"name": "a", "phone": "+999 1"}]}, "recipients[0]: '+999 1' "),
        ({"recipients": [{"phone": "+12025550143"}]}, "recipients[0]: required key `name` is missing"),
        ({"recipients": [{"name": "a", "phone": "+12025550143", "language": "fr"}]}, "recipients[0].language: Invalid"),
        ({"timezone": "Seoul"}, "'Seoul' is not a time zone; write it like Asia/Seoul"),
        ({"sites": [{"id": "North Gate"}]}, "sites[0].id: Expected `str`: 1 to 63 of a-z, 0-9 and inner hyphens"),
        ({"sites": [{"id": "a", "timezone": "../x"}]}, "sites[0]: '../x' is not a time zone"),
        ({"mqtt": {"tls": {"cert_file": "x"}}}, "mqtt.tls: `cert_file` and `key_file` come together"),
        ({"twilio": {"account_sid": "AC1", "sender": "+1"}}, "twilio.account_sid: Expected `str`: AC and 32 of"),
        ({"twilio": {"account_sid": "AC" + "0" * 32, "sender": "+1", "auth_token": "x"}}, "twilio.auth_token: unknown"),
        ({"database": {"path": 7}}, "database.path: expected a path, got 7"),
        ({"presence": {"leave_out": ["pi-01"]}}, "presence: `leave_out`: 'pi-01' is not a device"),
        ({"presence": {"quiet_secs": 9}}, "presence.quiet_secs: unknown key; did you mean `quiet_seconds`?"),
        ({"monitor": {"prot": 1}}, "monitor.prot: unknown key; did you mean `port`?"),
        ({"monitor": {"ping": {"url": "mailto:me"}}}, "monitor.ping.url: Expected `str`: an address that begins with"),
        ({"database": {}}, "database: give `path`, a file for SQLite, or else `url`, a PostgreSQL database"),
        ({"database": {"path": "a", "url": "postgresql://a@b/c"}}, "database: give `path`, a file for SQLite, or else"),
        ({"database": {"url": "mysql://a@b/c"}}, "database.url: Expected `str`: an address like postgresql://"),
        ({"database": {"url": "postgresql://a:secret@b/c"}}, "database: `url` holds a password; put it into"),
        ({"database": {"url": "postgresql://b/c?password=secret"}}, "database: `url` holds a password; put it into"),
        ({"mqtt": {"host": "mqtt://h:1883"}}, "mqtt: `host`: 'mqtt://h:1883' holds a scheme and a port; write"),
        (
            {"web": {"host": "127.0.0.1:8080"}},
            "web: `host`: '127.0.0.1:8080' holds a port; write `host: 127.0.0.1` and",
        ),
        ({"monitor": {"host": "h:9464"}}, "monitor: `host`: 'h:9464' holds a port; write `host: h` and `port: 9464`"),
        ({"mqtt": {"share": "a/b"}}, "mqtt.share: Expected `str`: up to 64 of"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_mistake_is_named_with_its_place_and_what_is_right(tmp_path: Path, changes: Any, said: str) -> None:
    tree = yaml.safe_load(write_config(tmp_path).read_text()) | changes
    path = tmp_path / "broker.yaml"
    path.write_text(yaml.safe_dump(tree))

    assert problem(path).startswith(said)


def test_two_people_with_one_name_are_refused(tmp_path: Path) -> None:
    twins = [{"name": "guard", "phone": "+12025550143"}] * 2

    assert "two recipients are called 'guard'" in problem(write_config(tmp_path, recipients=twins))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a: [", "not YAML: "),
        (b"database: {path: a}\ndatabase: {path: b}\n", "the key `database` stands twice"),
        (b"\xff\xfe\xfa", "byte 0 is not UTF-8; save the file as UTF-8"),
        (b"- a\n", "expected keys with values, got a list"),
        (b"", "required key `database` is missing"),
        (b"a: !!python/object:os.system {}", "not YAML: could not determine a constructor"),
    ],
    ids=["broken", "twice", "not UTF-8", "a list", "empty", "code"],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "broker.yaml"
    path.write_bytes(text)

    assert problem(path).startswith(said)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert problem(tmp_path / "none.yaml") == "No such file or directory; name the right file with --config"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"name": "a"}, "rules[0]: the rule 'a' can never fire: give it `says`, `hazards`, `labels`, "),
        ({"name": "a", "says": ["<nobody>"]}, "rules[0].says[0]: there is no list <nobody>; lists here: person"),
        ({"name": "a", "says": ["gun"], "unless": ["?"]}, "rules[0].unless[0]: '?' is no word"),
        ({"name": "a", "says": ["gun"], "except": ["a ..."]}, "rules[0].except[0]: 'a ...' needs a word"),
        ({"name": "a", "says": ["gun"], "exept": []}, "rules[0].exept: unknown key; did you mean `except`?"),
        (
            {"name": "a", "says": ["gun", False]},
            "rules[0].says[1]: Expected `str`, got `bool`; put the value",
        ),
        (
            {"name": "a", "says": ["gun"], "severity": "high"},
            "rules[0].severity: Invalid enum value 'high'; use one of critical, info, warning",
        ),
        ({"name": "a", "hazards": {"gun": 1.5}}, "rules[0].hazards.gun: Expected `float` <= 1.0"),
        ({"name": "A", "says": ["gun"]}, "rules[0].name: Expected `str`: 1 to 63 of"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_mistake_in_a_rule_is_named_with_its_place(tmp_path: Path, rule: dict[str, Any], said: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"lists": {"person": ["man"]}, "rules": [rule]}))

    with pytest.raises(Misconfigured) as caught:
        compiler.load(path)

    assert without_place(str(caught.value), path).startswith(said)


def test_two_rules_with_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"rules": [{"name": "gun", "says": ["gun"]}] * 2}))

    with pytest.raises(Misconfigured, match="two rules are called 'gun'"):
        compiler.load(path)


@pytest.mark.parametrize("number", ["+82 10-1234-5678", "+82 (10) 1234 5678", "+821012345678"])
def test_a_number_may_be_written_as_people_do(number: str) -> None:
    assert Recipient(name="a", phone=number).e164 == "+821012345678"


@pytest.mark.parametrize(
    ("name", "language", "said"),
    [
        ("Gate", "ko", "Gate"),
        (Wording(en="Gate", ko="문"), "ko", "문"),
        (Wording(en="Gate", ko="문"), "en", "Gate"),
        (Wording(en="Gate"), "ko", "Gate"),
        (Wording(ko="문"), "en", "문"),
        (Wording(), "en", ""),
    ],
)
def test_a_name_is_given_in_the_language_or_in_the_other(name: str | Wording, language: Any, said: str) -> None:
    assert in_language(name, language) == said


def test_every_field_of_the_configuration_has_a_place_in_the_walk(tmp_path: Path) -> None:
    path = write_config(tmp_path)

    assert yaml_file.load(path, Config).sites[0].devices[0].streams[0].id == "cam-0"


GUARD = {"name": "guard", "phone": "+12025550143"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"incidents": {"escalation": [{"steps": [{"after_minutes": 5, "notify": ["gaurd"]}]}]}},
            "incidents.escalation[0].steps[0].notify[0]: no recipient is called 'gaurd'; did you mean `guard`?",
        ),
        ({"incidents": {"escalation": [{"steps": []}]}}, "incidents.escalation[0].steps: Expected `array` of length"),
        (
            {"incidents": {"resolve_minute": 5}},
            "incidents.resolve_minute: unknown key; did you mean `resolve_minutes`?",
        ),
        ({"incidents": {"update_minutes": -1}}, "incidents.update_minutes: Expected `float` >= 0"),
        (
            {"incidents": {"join": [{"while": ["gun"], "joins": ["gun"]}]}},
            "incidents.join[0]: 'gun' cannot join itself",
        ),
        (
            {"incidents": {"inhibit": [{"while": ["fire"], "hold_back": ["fire"]}]}},
            "incidents.inhibit[0]: 'fire' cannot inhibit itself",
        ),
        (
            {
                "incidents": {
                    "inhibit": [
                        {"while": ["fire"], "hold_back": ["smoke"]},
                        {"while": ["smoke"], "hold_back": ["fire"]},
                    ]
                }
            },
            "incidents: `inhibit`: 'fire' and 'smoke' inhibit each other; remove one of them",
        ),
        ({"recipients": [GUARD | {"quiet_hours": ["22-7"]}]}, "recipients[0]: '22' is not a day"),
        (
            {"recipients": [GUARD | {"quiet_hours": ["mon-sun"]}]},
            "recipients[0]: `quiet_hours`: these hours cover the whole week; leave a gap",
        ),
        ({"recipients": [GUARD | {"max_per_hour": 0}]}, "recipients[0].max_per_hour: Expected `int` >= 1"),
        ({"recipients": [GUARD | {"timezone": "Mars"}]}, "recipients[0]: 'Mars' is not a time zone"),
        ({"recipients": [{"name": "guard"}]}, "recipients[0]: 'guard' has no `phone`"),
        ({"links": {"base_url": "wordcam.example"}}, "links.base_url: Expected `str`: an address without a path"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_mistake_about_incidents_or_people_is_named_with_its_place(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    assert problem(write_config(tmp_path, **changes)).startswith(said)


def test_keys_of_version_0_1_0_are_read(tmp_path: Path) -> None:
    never = broker.load(write_config(tmp_path, absence=None))
    steps = [{"after_minutes": 5, "tell": ["guard"]}]
    old = broker.load(
        write_config(
            tmp_path,
            absence={"quiet_seconds": 7},
            incidents={"escalation": [{"steps": steps, "rounds": 3}]},
            recipients=[GUARD | {"told_when_over": False}],
            monitor={"ping": {"tells_failure": True}},
        )
    )

    assert never.presence is None
    assert old.presence == PresenceSettings(quiet_seconds=7)
    assert old.incidents.escalation == (Escalation(steps=(Step(after_minutes=5, notify=("guard",)),), cycles=3),)
    assert not old.recipients[0].notify_when_resolved
    assert old.monitor is not None
    assert old.monitor.ping is not None
    assert old.monitor.ping.report_failure

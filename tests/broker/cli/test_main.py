"""The verbs of `wordcam-broker`, but for `run` (see test_service.py)."""

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from broker.cli import main
from broker.config import broker as config_file
from broker.notify import notifications
from broker.rules import compiler
from broker.service import factory
from broker.service.leader import LeaderElection
from broker.store import migrate
from broker.store.engine import open_engine, reading, writing
from testing.fake_twilio import FakeTwilio
from tests.broker.device import GUARD, NOON, Clock, event, said
from tests.broker.running_service import RULES, write_config
from tests.broker.scene import make_processor

TEST_ARGUMENTS = ["rules", "test", "--rules", str(RULES)]


@pytest.fixture(autouse=True)
def _quiet_logging() -> Iterator[None]:
    """Take away the log handler that `main` has set, which writes to this test's stderr."""
    before, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = before
    logging.root.setLevel(level)


def test_check_says_what_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_config(tmp_path)

    assert main.main(["check", "--config", str(path)]) == 0

    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"{path}: good. Messages by console to guard (+12025550143, en)."
    assert out[1].startswith(f"{RULES}: good. 9 rules: gun, ")
    assert not (tmp_path / "wordcam.db").exists()


def test_check_warns_where_nobody_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_config(tmp_path, recipients=[])

    assert main.main(["check", "--config", str(path)]) == 0

    assert capsys.readouterr().err == f"{path}: recipients: none; no notification is sent to anyone\n"


def test_check_finds_a_mistake_in_the_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump({"rules": [{"name": "gun", "says": ["gun"], "cooldown": 3}]}))
    path = write_config(tmp_path, rules_file="rules.yaml")

    assert main.main(["check", "--config", str(path)]) == 78

    said = f"wordcam-broker: {rules}:2: rules[0].cooldown: unknown key; did you mean `cooldown_minutes`?\n"
    assert capsys.readouterr().err == said


def test_rules_test_answers_in_json_for_each_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        {"text": "a man is holding a gun", "file": "a.jpg", "confidence": 0.5, "labels": [], "model": "m@1.0.0"},
        {"text": "a red fire hydrant", "hazards": [{"term": "fire", "probability": 0.9}]},
        {"text": "a man stands in a corridor", "hazards": {"gun": 0.8}},
        {"text": "people walk"},
    ]
    file = tmp_path / "said.jsonl"
    file.write_text("\n\n".join(map(json.dumps, lines)) + "\n")

    assert main.main([*TEST_ARGUMENTS, "--json", str(file)]) == 0

    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    gun = {"rule": "gun", "severity": "critical", "because": "says 'gun'"}
    assert answers[0] == {"text": "a man is holding a gun", "fired": [gun], "cancelled": [], "file": "a.jpg"}
    assert answers[1]["fired"] == []
    assert answers[1]["cancelled"] == [{"rule": "fire", "because": "only in 'fire hydrant'"}]
    assert answers[2]["fired"][0]["because"] == "hazard gun 0.80 is at least 0.50"
    assert answers[3] == {"text": "people walk", "fired": [], "cancelled": []}


def test_rules_test_reads_what_is_typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"text": "a gun"}\n{"text": "no fire"}\n{"text": "a dog"}\n'))

    assert main.main([*TEST_ARGUMENTS, "-"]) == 0

    assert capsys.readouterr().out == (
        "\"a gun\"\n  DANGER: gun fires, says 'gun'\n"
        "\"no fire\"\n  fire cancelled: 'no' stands before 'fire'\n"
        '"a dog"\n  no danger\n'
        "\n3 sentences, 1 alarming\n  gun: 1 fired\n  fire: 1 cancelled\n"
    )


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "{}", '{"text": 7}', '{"text": "a", "hazards": [{"term": "gun"}]}', '{"text": "a", "confidence": "b"}'],
)
def test_rules_test_names_the_line_it_cannot_read(
    tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "said.jsonl"
    file.write_text('{"text": "a dog"}\n' + line)

    assert main.main([*TEST_ARGUMENTS, str(file)]) == 78

    assert capsys.readouterr().err.startswith(f"wordcam-broker: {file}:2: ")


def test_rules_test_names_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([*TEST_ARGUMENTS, str(tmp_path / "none")]) == 78

    assert capsys.readouterr().err == f"wordcam-broker: {tmp_path / 'none'}: No such file or directory\n"


def test_send_test_sends_to_everyone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = [
        {"name": "guard", "phone": "+12025550143"},
        {"name": "경비실", "phone": "+82 10 1234 5678", "language": "ko"},
    ]
    with FakeTwilio() as twilio:
        path = write_config(tmp_path, twilio=twilio, recipients=people)

        assert main.main(["send-test", "--config", str(path)]) == 0

    assert [message.to for message in twilio.messages] == ["+12025550143", "+821012345678"]
    assert twilio.texts[0].startswith("wordcam test message for guard, ")
    assert twilio.texts[1].startswith("wordcam 시험 문자입니다. 경비실, ")
    assert capsys.readouterr().out == "guard: twilio, 1 part(s)\n경비실: twilio, 1 part(s)\n"


def test_send_test_to_nobody_known_names_who_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_config(tmp_path)

    assert main.main(["send-test", "--config", str(path), "--to", "chief"]) == 78

    assert "no chief; known: guard" in capsys.readouterr().err


def test_send_test_says_what_the_provider_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeTwilio(invalid_numbers={"+12025550143"}) as twilio:
        path = write_config(tmp_path, twilio=twilio)

        assert main.main(["send-test", "--config", str(path)]) == 75

    assert "guard: twilio did not take the message: HTTP 400, Twilio error 21211" in capsys.readouterr().err


def test_migrate_makes_the_tables_and_says_which_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_config(tmp_path)

    assert main.main(["migrate", "--config", str(path)]) == 0

    assert re.fullmatch(rf"{tmp_path / 'wordcam.db'}: at version \d{{4}}\n", capsys.readouterr().out)


def test_watch_once_shows_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["watch", "--once", "--config", str(write_config(tmp_path))]) == 0

    assert capsys.readouterr().out == "No captions yet.\n"


def test_a_folder_that_cannot_hold_the_database_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    path = write_config(tmp_path, database={"path": "file/wordcam.db"})

    assert main.main(["migrate", "--config", str(path)]) == 75

    assert f"{tmp_path / 'file'}: cannot hold the database" in capsys.readouterr().err


def test_translate_says_sentences_in_korean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = 'two men are fighting\n\n{"text": "a man with a gun", "confidence": 0.5}\nof of of\n'
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))

    assert main.main(["translate", "--offline", "--json", "-"]) == 0

    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["translated"] for answer in answers] == ["남자 두 명이 싸우고 있다", "총을 든 남자", None]


def test_translate_names_the_line_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "said.jsonl"
    file.write_text('a man\n{"txt": 1}\n')

    assert main.main(["translate", "--offline", str(file)]) == 78

    assert capsys.readouterr().err.startswith(f"wordcam-broker: {file}:2: ")


def test_dead_messages_are_listed_and_sent_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_config(tmp_path)
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.require_current(engine)
    processor = make_processor(engine, compiler.load(RULES), [GUARD], clock=Clock(NOON))
    processor.process([said(event("a man is holding a gun"))])
    with writing(engine) as connection:
        notifications.mark_dead(connection, 1, error="no such number\x1b[2J")

    assert main.main(["dead", "list", "--config", str(path)]) == 0
    listed = capsys.readouterr().out
    assert main.main(["dead", "resend", "--config", str(path)]) == 78
    assert main.main(["dead", "resend", "1", "2", "--config", str(path)]) == 0

    assert listed.startswith("1  ")
    assert "guard  north-gate/gun  no such number[2J  a man is holding a gun" in listed
    assert capsys.readouterr().out == "1: waits to be sent again\n2: was not given up\n"
    with reading(engine) as connection:
        assert notifications.get(connection, 1).state is notifications.State.WAITING  # type: ignore[union-attr]  # it is there
    engine.dispose()


def test_duty_says_who_sends_the_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path)
    engine = open_engine(tmp_path / "wordcam.db")
    migrate.require_current(engine)

    assert main.main(["duty", "--config", str(config)]) == 0
    LeaderElection(engine, "alerts-1", on_elected=lambda: None).step()
    engine.dispose()
    assert main.main(["duty", "--config", str(config)]) == 0
    assert main.main(["duty", "--config", str(config), "--json"]) == 0

    nobody, line, last = capsys.readouterr().out.splitlines()
    assert nobody == "no instance leads"
    assert line.startswith("alerts-1 leads: ")
    assert json.loads(last)["instance"] == "alerts-1"


def test_check_says_that_twilio_brings_no_answers_back_from_korea(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = [{"name": "경비실", "phone": "+82 10 1234 5678"}, {"name": "guard", "phone": "+12025550143"}]
    with FakeTwilio() as twilio:
        config = write_config(tmp_path, twilio=twilio, recipients=people)
        code = main.main(["check", "--config", str(config)])

    assert code == 0
    said = capsys.readouterr().err
    assert "recipients: 경비실: Twilio brings no answers back from Korea" in said
    assert "guard: Twilio" not in said
    assert factory.by_korean_gateway(config_file.load(config)) == {"경비실"}

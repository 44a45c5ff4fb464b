"""`wordcam-broker init`, and the verbs that follow it without another word."""

import io
from pathlib import Path

import pytest

from broker.cli import init, main
from broker.config import broker as config_file
from broker.config.errors import Misconfigured
from broker.rules import compiler

MISCONFIGURED = Misconfigured.exit_code


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(*arguments: str) -> None:
    assert main.main(["init", "--timezone", "Asia/Seoul", "--language", "ko", *arguments]) == 0


def test_both_files_are_read_back_with_what_was_asked_for() -> None:
    start("--server", "mqtt.example")

    config = config_file.load(Path("broker.yaml"))
    assert (config.timezone, config.language, config.mqtt.host) == ("Asia/Seoul", "ko", "mqtt.example")
    assert config.rules_file == Path("rules.yaml").resolve()
    assert compiler.load(config.rules_file).rules == compiler.load(init.RULES).rules
    assert [(one.during, one.hold_back) for one in config.incidents.inhibit] == [(("fire",), ("smoke",))]


def test_the_verbs_find_the_file_of_this_folder(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start()

    assert main.main(["check"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("a-long-enough-secret"))
    assert main.main(["user", "add", "mina", "--role", "administrator", "--password-file", "-"]) == 0
    assert main.main(["user", "list"]) == 0
    assert main.main(["watch", "--once"]) == 0
    assert main.main(["send-test"]) == 0
    said = capsys.readouterr().out
    assert "mina: administrator" in said
    assert "wordcam 시험 문자입니다. guard" in said


def test_it_says_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    start()

    said = capsys.readouterr().out
    assert [line.split()[1] for line in said.splitlines() if line.startswith("  wordcam-broker")] == [
        "check",
        "user",
        "run",
        "send-test",
    ]


@pytest.mark.parametrize("name", ["broker.yaml", "rules.yaml"])
def test_files_that_are_there_stay_unless_it_is_forced(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).write_text("mine", encoding="utf-8")

    assert main.main(["init"]) == MISCONFIGURED
    assert f"{name}: is there already; --force replaces it" in capsys.readouterr().err
    assert [path.name for path in Path.cwd().iterdir()] == [name]
    start("--force")


@pytest.mark.parametrize("option", [["--timezone", "Mars"], ["--server", "mqtt://h"], ["--server", "{x}"]])
def test_what_cannot_work_is_refused_and_nothing_is_written(option: list[str]) -> None:
    assert main.main(["init", *option]) == MISCONFIGURED
    assert list(Path.cwd().iterdir()) == []


def test_without_a_configuration_a_verb_names_init(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["check"]) == MISCONFIGURED
    assert "`wordcam-broker init` writes one" in capsys.readouterr().err


def test_the_default_of_the_version_before_is_still_found(capsys: pytest.CaptureFixture[str]) -> None:
    Path("config").mkdir()
    start("--config", "config/broker.yaml")

    assert main.main(["check"]) == 0
    assert "config/broker.yaml: good" in capsys.readouterr().out


def rules_that_fire_on(word: str, folder: Path) -> Path:
    """Write a configuration with one rule, and return its path."""
    folder.mkdir()
    (folder / "rules.yaml").write_text(f"rules: [{{name: only, severity: info, says: [{word}]}}]", encoding="utf-8")
    (folder / "broker.yaml").write_text("database: {path: a.db}\nrules_file: rules.yaml\n", encoding="utf-8")
    return folder / "broker.yaml"


def test_rules_are_tried_with_those_of_the_configuration_that_is_named(
    empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start()
    config = rules_that_fire_on("pancake", empty_folder / "other")
    Path("said.jsonl").write_text('{"text": "a pancake"}\n{"text": "a man with a gun"}\n', encoding="utf-8")
    capsys.readouterr()

    assert main.main(["rules", "test", "--config", str(config), "said.jsonl"]) == 0

    assert "2 sentences, 1 alarming\n  only: 1 fired" in capsys.readouterr().out


def test_rules_can_be_tried_before_anything_is_configured(capsys: pytest.CaptureFixture[str]) -> None:
    Path("said.jsonl").write_text('{"text": "a man with a gun"}\n', encoding="utf-8")

    assert main.main(["rules", "test", "said.jsonl"]) == 0
    said = capsys.readouterr()
    assert "gun: 1 fired" in said.out
    assert said.err == f"rules: {init.RULES}\n"
    assert main.main(["rules", "check"]) == 0


@pytest.mark.parametrize(
    ("environ", "language"),
    [({"LANG": "ko_KR.UTF-8"}, "ko"), ({"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}, "en"), ({}, "en")],
)
def test_the_language_is_the_terminals(environ: dict[str, str], language: str) -> None:
    assert init.language_of(environ) == language


def test_the_time_zone_is_the_machines(tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Asia/Seoul")

    assert init.timezone_of(tmp_path, {}) == "Asia/Seoul"
    assert init.timezone_of(tmp_path, {"TZ": ":Europe/Berlin"}) == "Europe/Berlin"
    assert init.timezone_of(tmp_path / "none", {"TZ": "nonsense"}) == "UTC"

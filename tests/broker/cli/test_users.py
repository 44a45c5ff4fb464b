"""The verbs `console` and `user` of `wordcam-broker`."""

import io
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from broker.cli import main
from broker.store.engine import open_engine, reading
from broker.web.accounts import passwords, users
from testing.waiting import PATIENCE_SECONDS
from tests.broker.running_service import COMMAND, write_config

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _quiet_logging() -> Iterator[None]:
    """Take away the log handler that `main` has set, which writes to this test's stderr."""
    before, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = before
    logging.root.setLevel(level)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration, with a password beside it."""
    (tmp_path / "password").write_text(PASSWORD + "\n")
    return write_config(tmp_path, web={"port": 0})


def run(config: Path, *arguments: str) -> int:
    """Run one verb of `user`."""
    return main.main(["user", arguments[0], "--config", str(config), *arguments[1:]])


def add(config: Path, name: str = "mina") -> int:
    """Make an account with the password that is beside the configuration."""
    return run(config, "add", name, "--role", "supervisor", "--password-file", str(config.parent / "password"))


def test_an_account_is_made_and_listed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(config) == 0
    assert run(config, "list", "--json") == 0

    out = capsys.readouterr().out.splitlines()
    assert out[0] == "mina: supervisor"
    assert json.loads(out[1]) == {"name": "mina", "role": "supervisor", "language": "en", "locked": False}


def test_the_password_itself_is_nowhere(config: Path) -> None:
    add(config)

    engine = open_engine(config.parent / "wordcam.db")
    with reading(engine) as connection:
        account = users.by_name(connection, "mina")
    engine.dispose()
    assert account is not None
    assert account.password.startswith("$argon2id$")
    assert passwords.fits(PASSWORD, account.password)
    assert PASSWORD.encode() not in (config.parent / "wordcam.db").read_bytes()


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 12 characters"),
        ("aaaaaaaaaaaaaaaa", "too easy to guess"),
        ("mina mina mina", "too easy to guess"),
        ("", "at least 12 characters"),
        ("x" * 201, "too long"),
    ],
)
def test_a_weak_password_is_refused(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], password: str, why: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(password))

    assert run(config, "add", "mina", "--password-file", "-") == 78

    assert why in capsys.readouterr().err


def test_without_a_terminal_a_password_needs_a_file(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert run(config, "add", "mina") == 78

    assert "name a file with --password-file" in capsys.readouterr().err


def test_two_accounts_cannot_share_a_name(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(config)

    assert add(config) == 78
    assert "there is an account of this name" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["password", "disable", "enable", "token"])
def test_an_unknown_name_is_said(config: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, verb, "nobody") == 78

    assert "nobody: there is no account of this name" in capsys.readouterr().err


def test_an_account_is_locked_and_opened(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(config)

    assert run(config, "disable", "mina") == 0
    assert run(config, "list") == 0
    assert run(config, "enable", "mina") == 0

    assert "mina\tsupervisor\ten\tlocked" in capsys.readouterr().out


def test_the_console_serves_until_it_is_told_to_stop(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(config)
    run(config, "token", "mina")
    token = capsys.readouterr().out.splitlines()[-1]
    command = [sys.executable, "-W", "error", "-c", COMMAND, "console", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()

        headers = {"authorization": f"Bearer {token}"}
        answer = httpx.get(f"{address}/api/v1/captions", headers=headers, timeout=PATIENCE_SECONDS)
        process.send_signal(signal.SIGTERM)

        assert process.wait(PATIENCE_SECONDS) == 0
    assert answer.json() == {"captions": [], "before": None}


def test_a_taken_port_is_said_at_once(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "console", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip().rsplit(":", 1)[1]

        code = main.main(["console", "--config", str(config), "--port", port])
        process.terminate()

    assert code == 75
    assert "name another port" in capsys.readouterr().err

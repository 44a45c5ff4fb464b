"""What a supervisor is told of the console, without a login."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx

from broker.config.broker import Config
from testing.waiting import PATIENCE_SECONDS, wait_until
from tests.broker.running_service import COMMAND
from tests.broker.web import sample
from tests.broker.web.serving import Browser


def test_it_is_alive_and_ready(stranger: Browser) -> None:
    assert stranger.http.get("/healthz").json() == {"alive": True}
    ready = stranger.http.get("/readyz")

    assert ready.status_code == 200
    assert {name for name, check in ready.json()["checks"].items() if check["ok"]} == {
        "database",
        "migrations",
        "rules",
    }
    assert stranger.http.get("/metrics").status_code == 404


def test_it_is_not_ready_while_the_database_is_held(stranger: Browser, config: Config) -> None:
    assert config.database.path is not None
    with sqlite3.connect(config.database.path, isolation_level=None) as database:
        database.execute("BEGIN EXCLUSIVE")
        wait_until(lambda: stranger.http.get("/readyz").status_code == 503, "it is not ready")
        said = stranger.http.get("/readyz").json()
        database.execute("ROLLBACK")
    database.close()

    assert said["checks"]["database"] == {"ok": False, "because": "database is locked"}
    assert str(config.database.path.parent) not in json.dumps(said)
    wait_until(lambda: stranger.http.get("/readyz").status_code == 200, "it is ready again")


def test_everything_that_the_console_logs_is_a_json_line(tmp_path: Path) -> None:
    path = sample.config(tmp_path)
    sample.fill(path, hours=1)
    with (tmp_path / "log").open("wb") as log:
        console = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "-v", "console", "--config", str(path)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"PYTHONWARNINGS": "error"},
        )
        assert console.stdout is not None
        address = console.stdout.readline().strip()
        assert httpx.get(f"{address}/healthz", timeout=PATIENCE_SECONDS).status_code == 200
        assert httpx.get(f"{address}/incidents", timeout=PATIENCE_SECONDS).status_code == 303
        assert httpx.get(f"{address}/api/v1/incidents", timeout=PATIENCE_SECONDS).status_code == 401
        console.send_signal(signal.SIGTERM)
        assert console.wait(PATIENCE_SECONDS) == 0
        console.stdout.close()

    lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    assert {"console"} <= {line["event"] for line in lines}
    assert all({"time", "level", "event", "logger"} <= set(line) for line in lines)

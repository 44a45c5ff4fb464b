"""The board and the rules that ship ask for nothing that a running service does not show."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from testing.fake_twilio import FakeTwilio
from testing.mosquitto import Mosquitto
from tests.broker.device import FakeDevice, event
from tests.broker.monitor.test_service import MONITOR, ask, configure
from tests.broker.running_service import Running

DEPLOY: Final = Path(__file__).resolve().parents[3] / "deploy"
BOARD: Final[dict[str, Any]] = json.loads((DEPLOY / "grafana" / "wordcam.json").read_text(encoding="utf-8"))
RULES: Final = DEPLOY / "prometheus" / "alerts.yml"

FROM_PROMETHEUS: Final = {"instance", "job"}
"""Labels that Prometheus adds itself."""


def rules() -> list[dict[str, Any]]:
    tree = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in tree["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in BOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])
    yield from re.findall(r"label_values\((\w+),", json.dumps(BOARD["templating"]))


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield every metric that an expression asks for, with the labels that it is chosen by."""
    for name, braces in re.findall(r"\b((?:wordcam|process)_\w+)(\{[^}]*\})?", expression):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", braces)) - FROM_PROMETHEUS


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return every sample of a running service that has told someone of something, with the names of its labels."""
    folder = tmp_path_factory.mktemp("deploy")
    with Mosquitto(folder / "mosquitto") as server, FakeTwilio() as twilio, FakeDevice(server) as device:
        config = configure(folder, server=server, twilio=twilio, monitor=MONITOR)
        with Running(config) as service:
            device.say(event("a man is holding a gun"))
            service.wait_said("notification sent")
            text = ask(service, "/metrics").text
            service.stop()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_metric_and_label_that_is_asked_for_is_shown(shown: dict[str, set[str]]) -> None:
    asked = [selector for expression in expressions() for selector in selectors(expression)]

    assert len(asked) > 40
    assert {name for name, _ in asked} - set(shown) == set()
    assert [(name, labels - shown[name]) for name, labels in asked if labels - shown[name]] == []


def test_every_metric_of_ours_is_on_the_board_or_in_a_rule(shown: dict[str, set[str]]) -> None:
    asked = {name for expression in expressions() for name, _ in selectors(expression)}
    ours = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in shown if name.startswith("wordcam_")}

    seen = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
    assert {name for name in ours - seen if f"{name}_total" not in shown} == set()


def test_what_is_shown_is_named_as_prometheus_asks(shown: dict[str, set[str]]) -> None:
    ours = [name for name in shown if name.startswith("wordcam_")]

    assert [name for name in ours if not re.fullmatch(r"wordcam(_[a-z]+)+", name)] == []
    assert [name for name in ours if re.search(r"_(ms|minutes|hours|kb|mb)(_|$)", name)] == []


def test_the_board_is_whole() -> None:
    ids = [panel["id"] for panel in BOARD["panels"]]
    boxes = [panel["gridPos"] for panel in panels()]

    assert len(ids) == len(set(ids))
    assert all(box["x"] + box["w"] <= 24 for box in boxes)
    assert not any(_overlap(one, other) for n, one in enumerate(boxes) for other in boxes[:n])
    assert all(panel["datasource"]["uid"] == "${datasource}" and panel["title"] for panel in panels())
    assert {one["name"] for one in BOARD["templating"]["list"]} == {"datasource", "instance"}


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(one[at] < other[at] + other[size] and other[at] < one[at] + one[size] for at, size in ("xw", "yh"))


def test_every_rule_says_what_is_wrong_and_how_bad_it_is() -> None:
    names = [rule["alert"] for rule in rules()]

    assert len(names) == len(set(names))
    assert {rule["labels"]["severity"] for rule in rules()} == {"critical", "warning"}
    assert all(rule["annotations"]["summary"] for rule in rules())


def promtool(*words: str) -> str:
    """Run promtool, which comes with Prometheus; returns what it says where it complains, else ""."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_promtool_accepts_the_configuration_and_the_rules() -> None:
    assert promtool("check", "config", str(DEPLOY / "prometheus" / "prometheus.yml")) == ""


def test_promtool_can_read_every_expression_of_the_board(tmp_path: Path) -> None:
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    read = [one.replace("$__rate_interval", "5m").replace("$instance", ".*") for one in asked]
    records = [{"record": f"board:expression:{number}", "expr": one} for number, one in enumerate(read)]
    path = tmp_path / "board.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": records}]}), encoding="utf-8")

    assert promtool("check", "rules", str(path)) == ""


def test_promtool_sees_the_rules_fire(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_bytes(RULES.read_bytes())
    shutil.copy(Path(__file__).with_name("alerts.test.yml"), tmp_path)

    assert promtool("test", "rules", str(tmp_path / "alerts.test.yml")) == ""

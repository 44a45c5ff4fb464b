"""The stack of deploy/stack.yml, which is not started here: whole, pinned, and without a secret in it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from broker.config.broker import Mqtt
from broker.config.channels import e164
from broker.config.web import Web

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
STACK: dict[str, Any] = yaml.safe_load((DEPLOY / "stack.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = STACK["services"]

PUBLISHED = {"mosquitto": ["8883:8883"], "console": ["443:8443"]}


def names(entries: list[Any]) -> set[str]:
    return {entry if isinstance(entry, str) else entry["source"] for entry in entries}


def settings() -> dict[str, Any]:
    """Return the configuration as Swarm hands it to the first instance."""
    text = (DEPLOY / "broker-stack.yaml").read_text(encoding="utf-8").replace("{{.Task.Slot}}", "1")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")

    assert tag[:1].isdigit()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_asked_whether_it_is_well_and_started_again(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["deploy"]["restart_policy"]["condition"] == "any"
    assert SERVICES[name]["logging"]["options"]["max-size"]


def test_only_mqtt_by_tls_and_the_console_are_published() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == PUBLISHED
    assert STACK["networks"]["inside"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == ["inside"]


def test_there_are_two_alert_services() -> None:
    assert SERVICES["alerts"]["deploy"]["replicas"] == 2
    assert "{{.Task.Slot}}" in (DEPLOY / "broker-stack.yaml").read_text(encoding="utf-8")


def test_what_is_mounted_is_declared_and_what_is_declared_is_there() -> None:
    for service in SERVICES.values():
        assert names(service.get("configs", [])) <= STACK["configs"].keys()
        assert names(service.get("secrets", [])) <= STACK["secrets"].keys()
        mounted = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert mounted <= STACK["volumes"].keys()
    for config in STACK["configs"].values():
        assert (DEPLOY / config["file"]).is_file()


def test_secrets_come_from_files_that_are_never_committed() -> None:
    assert {secret["file"].partition("/")[0] for secret in STACK["secrets"].values()} == {"secrets"}
    assert "deploy/secrets/" in (DEPLOY.parent / ".gitignore").read_text().splitlines()
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            assert "PASSWORD" not in variable or value.startswith("/run/secrets/"), name


def test_every_file_that_the_configuration_names_is_mounted() -> None:
    found = settings()
    secrets, configs = names(SERVICES["alerts"]["secrets"]), SERVICES["alerts"]["configs"]
    named = [*found["mqtt"]["tls"].values(), found["database"]["password_file"]]
    named += [found["web"]["cert_file"], found["web"]["key_file"]]

    assert {Path(file).name for file in named} == secrets
    assert found["rules_file"] in {config["target"] for config in configs}


def test_the_configuration_is_one_that_the_service_takes() -> None:
    found = settings()

    assert msgspec.convert(found["mqtt"], Mqtt, dec_hook=_path).share
    assert msgspec.convert(found["web"], Web, dec_hook=_path).is_secure
    assert e164(found["recipients"][0]["phone"])


def _path(kind: type, value: Any) -> Any:
    assert kind is Path
    return Path(value)

"""The verb `wordcam-broker init`: the first `broker.yaml` and `rules.yaml`."""

import argparse
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from broker.cli import config_path
from broker.config import broker as config_file
from broker.config.errors import Misconfigured
from broker.config.section import Language
from broker.rules import compiler
from foundation.errors import from_os_error

STARTER: Final = Path(__file__).resolve().parent.parent / "starter"
"""Both files as they come with the package; in a clone, `rules.yaml` there is a link to `config/rules.yaml`."""

RULES: Final = STARTER / "rules.yaml"


PLAIN_MQTT: Final = """\
  host: {server}
  port: 1883
  # username: broker
  # password_file: mqtt.password   # a file that holds the password alone; or the variable WORDCAM_MQTT_PASSWORD
  # tls: {{ca_file: ca.crt}}
"""

LOOPBACK_WEB: Final = """\
  host: 127.0.0.1
  port: 8080
"""

GUARD: Final = """\
  # This number is kept for fiction: put yours in its place.
  - name: guard
    phone: "+1 202 555 0143"
    language: {language}
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """Lines of broker.yaml that `init` and `setup` write differently."""

    mqtt: str
    web: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What the first configuration depends on."""

    timezone: str
    language: Language
    server: str


def run(arguments: argparse.Namespace) -> int:
    """Write both files; raises `Misconfigured`."""
    config: Path = arguments.config or config_path.DEFAULT
    rules = config.parent / "rules.yaml"
    there = [path for path in (config, rules) if path.exists()]
    if there and not arguments.force:
        raise Misconfigured(f"{there[0]}: is there already; --force replaces it")
    answers = Answers(
        timezone=arguments.timezone or timezone_of(Path("/etc"), os.environ),
        language=arguments.language or language_of(os.environ),
        server=arguments.server,
    )
    check(answers)
    _write(config, text(answers))
    _write(rules, RULES.read_text(encoding="utf-8"))
    config_file.load(config)
    compiler.load(rules)
    print(*_next_steps(config, rules, answers), sep="\n")
    return 0


def text(answers: Answers, parts: Parts | None = None) -> str:
    """Return the text of broker.yaml; without `parts` for an MQTT server without TLS and a console on loopback."""
    parts = parts or Parts(
        mqtt=PLAIN_MQTT.format(server=answers.server),
        web=LOOPBACK_WEB,
        recipient=GUARD.format(language=answers.language),
    )
    template = (STARTER / "broker.yaml").read_text(encoding="utf-8")
    return template.format(
        timezone=answers.timezone, language=answers.language, mqtt=parts.mqtt, web=parts.web, recipient=parts.recipient
    )


def timezone_of(etc: Path, environ: Mapping[str, str]) -> str:
    """Return the machine's time zone by its name: of TZ, of /etc/localtime's target, or UTC."""
    try:
        target = str((etc / "localtime").readlink())
    except OSError:
        target = ""
    for name in (environ.get("TZ", "").removeprefix(":"), target.rpartition("zoneinfo/")[2]):
        if name and _is_zone(name):
            return name
    return "UTC"


def language_of(environ: Mapping[str, str]) -> Language:
    """Return the terminal's language: Korean where its locale says so, else English."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return "ko" if locale.startswith("ko") else "en"


def check(answers: Answers) -> None:
    """Refuse what is no time zone or no host; raises `Misconfigured`."""
    if not _is_zone(answers.timezone):
        raise Misconfigured(f"--timezone {answers.timezone}: not a time zone; write it like Asia/Seoul")
    if not answers.server or set(answers.server) - set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"
    ):
        raise Misconfigured(f"--server {answers.server}: a host name or an address is expected, without scheme or port")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise from_os_error(error, str(path)) from error


def _next_steps(config: Path, rules: Path, answers: Answers) -> Iterator[str]:
    option = "" if config == config_path.DEFAULT else f" --config {config}"
    yield f"{config}, {rules}: written; time zone {answers.timezone}, MQTT server {answers.server}:1883"
    yield f"Messages are printed and not sent until {config} has an account (`twilio`, `solapi` or `channel: apprise`)."
    yield "The MQTT server is a program of its own: `sudo apt install mosquitto` where there is none."
    yield "Next:"
    yield f"  wordcam-broker check{option}   # names mistakes in both files"
    yield f"  wordcam-broker user add NAME --role administrator{option}   # who may log in to the console"
    yield f"  wordcam-broker run --console{option}   # the alert service, and the console on http://127.0.0.1:8080"
    yield f"  wordcam-broker send-test{option}   # what a message looks like, and whether it arrives"

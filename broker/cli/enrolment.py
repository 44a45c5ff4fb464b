"""The verbs `setup`, `enroll` and `revoke`: a server with TLS, and the devices that may speak to it."""

import argparse
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from broker.cli import config_path, init
from broker.config import broker as config_file
from broker.config.enrolment import Enrolment
from broker.config.errors import Misconfigured
from broker.ingest.enrolment import authority, invitations
from broker.rules import compiler
from contract import topics
from contract.errors import Refused

SERVICE: Final = "broker"
"""Common name of the alert service's certificate, as Mosquitto's access list has it."""

MQTT: Final = """\
  host: {host}
  port: {port}
  tls:                     # `wordcam-broker setup` made these files
    ca_file: authority/ca.crt
    cert_file: tls/broker.crt
    key_file: tls/broker.key
"""

WEB: Final = """\
  host: 0.0.0.0
  port: {port}
  cert_file: tls/console.crt
  key_file: tls/console.key

links:                     # notifications carry a link that acknowledges them
  base_url: https://{shown}:{port}
  secret_file: tls/links.secret

enrolment:                 # `wordcam-broker enroll SITE/DEVICE` invites a device
  folder: authority
  url: https://{shown}:{port}
  mqtt_host: {host}
  mqtt_port: {mqtt_port}

models:                    # `wordcam-broker models init` makes the repository that devices take new models from
  folder: models
"""

NTFY: Final = """\
  - name: guard            # a topic of ntfy, which everybody who knows its name can read
    channel: apprise
    address_file: ntfy.address
    language: {language}
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `setup` will make."""

    folder: Path
    config: Path
    hosts: tuple[str, ...]
    mqtt_port: int
    console_port: int
    ntfy: str
    answers: init.Answers

    @property
    def host(self) -> str:
        """The name by which devices and people reach this machine."""
        return self.hosts[0]

    @property
    def shown_host(self) -> str:
        """The same, as addresses write it."""
        return f"[{self.host}]" if ":" in self.host else self.host


def run(arguments: argparse.Namespace) -> int:
    """Run one of the three; raises `Misconfigured`, `TryAgain`."""
    verbs = {"setup": _setup, "enroll": _enroll, "revoke": _revoke}
    return verbs[arguments.verb_name](arguments)


def _setup(arguments: argparse.Namespace) -> int:
    plan = _plan(arguments)
    there = [path for path in _written(plan) if path.exists()]
    if there:
        raise Misconfigured(
            f"{there[0]}: is there already, and nothing was changed; move it away, or work in another folder"
        )
    if not os.access(plan.folder, os.W_OK):
        raise Misconfigured(f"{plan.folder}: cannot be written by this user")
    print(f"For {', '.join(plan.hosts)}, in {plan.folder}:")
    print(*(f"  {path.relative_to(plan.folder)}" for path in _written(plan)), sep="\n")
    if arguments.dry_run:
        return 0
    _make(plan, datetime.now(UTC))
    config_file.load(plan.config)
    compiler.load(plan.config.parent / "rules.yaml")
    print(*_next_steps(plan), sep="\n")
    return 0


def _plan(arguments: argparse.Namespace) -> Plan:
    config: Path = (arguments.config or config_path.DEFAULT).absolute()
    answers = init.Answers(
        timezone=arguments.timezone or init.timezone_of(Path("/etc"), os.environ),
        language=arguments.language or init.language_of(os.environ),
        server=arguments.host,
    )
    for host in (arguments.host, *arguments.also):
        init.check(replace(answers, server=host))
    for option, port in (("--mqtt-port", arguments.mqtt_port), ("--console-port", arguments.console_port)):
        if not 1 <= port <= 65535:
            raise Misconfigured(f"{option} {port}: ports are 1 to 65535")
    # The alert service itself calls on loopback, wherever others come from.
    hosts = tuple(dict.fromkeys((arguments.host, *arguments.also, "localhost", "127.0.0.1")))
    ports = arguments.mqtt_port, arguments.console_port
    return Plan(config.parent, config, hosts, *ports, ntfy=arguments.ntfy or "", answers=answers)


def _written(plan: Plan) -> list[Path]:
    names = ["rules.yaml", "authority", "tls", "mosquitto", *(["ntfy.address"] if plan.ntfy else [])]
    return [plan.config, *(plan.folder / name for name in names)]


def _make(plan: Plan, now: datetime) -> None:
    site = authority.create(plan.folder / "authority", now=now)
    tls = plan.folder / "tls"
    authority.make_folder(tls)
    authority.make_folder(plan.folder / "mosquitto" / "data")
    for place, called, hosts in (
        (tls / "console", plan.host, plan.hosts),
        (tls / "broker", SERVICE, ()),
        (plan.folder / "mosquitto" / "server", plan.host, plan.hosts),
    ):
        key = authority.new_key()
        authority.write(place.with_suffix(".key"), authority.key_pem(key), mode=0o600)
        authority.write(place.with_suffix(".crt"), authority.pem(site.certify(key, called, now=now, hosts=hosts)))
    authority.write(tls / "links.secret", invitations.new_token(), mode=0o600)
    _make_mosquitto(plan)
    if plan.ntfy:
        authority.write(plan.folder / "ntfy.address", _ntfy(plan.ntfy), mode=0o600)
    authority.write(plan.config.parent / "rules.yaml", init.RULES.read_text(encoding="utf-8"))
    authority.write(plan.config, _text(plan))


def _make_mosquitto(plan: Plan) -> None:
    folder = plan.folder / "mosquitto"
    acl = (init.STARTER / "mosquitto.acl").read_text(encoding="utf-8")
    authority.write(folder / "acl", acl)
    if os.geteuid() == 0:  # started by root, Mosquitto goes on as its own user
        with suppress(LookupError):  # where it is not installed yet
            for name in ("data", "server.key"):
                shutil.chown(folder / name, "mosquitto")
    text = (init.STARTER / "mosquitto.conf").read_text(encoding="utf-8")
    for usual, here in (
        ("listener 8883", f"listener {plan.mqtt_port}"),
        ("/etc/mosquitto/certs/ca.crt", str(plan.folder / "authority" / authority.CERTIFICATE)),
        ("/etc/mosquitto/certs/server", str(folder / "server")),
        ("# crlfile /etc/mosquitto/certs/revoked.crl", f"crlfile {plan.folder / 'authority' / authority.REVOKED}"),
        ("/etc/mosquitto/wordcam.acl", str(folder / "acl")),
        ("persistence_location /var/lib/mosquitto/", f"persistence_location {folder / 'data'}/"),
    ):
        text = (
            text.replace(f"\n{usual}", f"\n{here}")
            if usual.startswith(("listener", "#"))
            else text.replace(usual, here)
        )
    authority.write(folder / "mosquitto.conf", text)


def _text(plan: Plan) -> str:
    language = plan.answers.language
    web = WEB.format(shown=plan.shown_host, host=plan.host, port=plan.console_port, mqtt_port=plan.mqtt_port)
    recipient = NTFY.format(language=language) if plan.ntfy else init.GUARD.format(language=language)
    return init.text(plan.answers, init.Parts(MQTT.format(host="localhost", port=plan.mqtt_port), web, recipient))


def _ntfy(topic: str) -> str:
    return topic if "://" in topic else f"ntfys://{topic}" if "/" in topic else f"ntfy://{topic}"


def _next_steps(plan: Plan) -> Iterator[str]:
    option = "" if plan.config == config_path.DEFAULT.absolute() else f" --config {plan.config}"
    yield "Done. The folder `authority` holds a key that can invent devices: keep it, and let nobody read it."
    if plan.ntfy:
        yield f"Notifications go to {_ntfy(plan.ntfy)}: open that topic in the ntfy app."
    yield "Next:"
    yield f"  mosquitto -c {plan.folder}/mosquitto/mosquitto.conf   # the MQTT server (Debian: apt install mosquitto)"
    yield f"  wordcam-broker migrate{option}   # makes the database"
    yield f"  wordcam-broker user invite NAME --role administrator{option}   # a link and a QR code for the first login"
    yield f"  wordcam-broker run --console{option}   # the alert service, and the console on"
    yield f"                                  # https://{plan.shown_host}:{plan.console_port}"
    yield f"  wordcam-broker enroll SITE/DEVICE{option}   # a file by which a device gets its certificate"
    yield f"  wordcam-broker send-test{option}   # whether a message arrives"


def _enroll(arguments: argparse.Namespace) -> int:
    site, device = _identity(arguments.device)
    settings = _settings(arguments)
    known = authority.load(settings.folder)
    out: Path = arguments.out or Path(f"{site}_{device}.enroll")
    earlier = len(known.issued_to(f"{site}/{device}"))
    print(f"{out}: will invite {site}/{device} to {settings.url}")
    if earlier:
        print(f"{site}/{device} has a certificate; the device that uses the invitation takes its place")
    if arguments.dry_run:
        return 0
    token, until = invitations.invite(known, site, device, now=datetime.now(UTC))
    invitation = invitations.written(known, token, invitations.find(known, token), settings)
    authority.write(out, msgspec.json.format(msgspec.json.encode(invitation)).decode() + "\n", mode=0o600)
    print(f"Written; it works once, until {until:%Y-%m-%d %H:%M} UTC. Take it to the device, and there:")
    print(f"  wordcam-edge enroll {out.name}")
    print("or write the card of a device with it:")
    print(f"  wordcam-edge flash IMAGE --device {out.name} --to DISK")
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    site, device = _identity(arguments.device)
    known = authority.load(_settings(arguments).folder)
    found = known.issued_to(f"{site}/{device}")
    print(f"{site}/{device}: {len(found)} certificates to revoke")
    if arguments.dry_run:
        return 0
    withdrawn = invitations.withdraw(known, site, device)
    if not found and not withdrawn:
        raise Misconfigured(f"{site}/{device}: has neither a certificate nor an invitation here")
    known.revoke(found, now=datetime.now(UTC))
    print("Revoked, and its invitations with it. Mosquitto reads the list when it starts: restart it now.")
    return 0


def _settings(arguments: argparse.Namespace) -> Enrolment:
    found = config_file.load(arguments.config).enrolment
    if found is None:
        raise Misconfigured(f"{arguments.config}: has no `enrolment`; `wordcam-broker setup` writes one")
    return found


def _identity(text: str) -> tuple[str, str]:
    site, _, device = text.partition("/")
    try:
        topics.topic(site, device, "caption")
    except Refused as error:
        raise Misconfigured(f"{text}: write SITE/DEVICE, such as north-gate/pi-01 ({error.detail})") from error
    return site, device

"""The verb `wordcam-broker check`: names mistakes in the configuration and the rules."""

import argparse
import sys
from collections.abc import Sequence

from broker.config import broker as config_file
from broker.config.broker import MQTT_PASSWORD
from broker.config.database import DATABASE_PASSWORD
from broker.incidents.presence import builtin_rules
from broker.monitor import ping
from broker.notify.links import Signer
from broker.ports import NoMetrics
from broker.rules import compiler
from broker.service import factory
from foundation import secret


def run(arguments: argparse.Namespace) -> int:
    """Check the configuration and the rules; raises `Misconfigured`."""
    config = config_file.load(arguments.config)
    book = compiler.load(config.rules_file)
    builtin_rules.beside(book, config.presence)
    secret.read(config.mqtt.password_file, MQTT_PASSWORD, field="mqtt.password_file")
    secret.read(config.database.password_file, DATABASE_PASSWORD, field="database.password_file")
    senders = factory.senders(config, sys.stdout)
    factory.translator(config, None, NoMetrics())
    if config.monitor is not None and config.monitor.ping is not None:
        ping.url_of(config.monitor.ping)
    for warning in config.web.warnings:
        print(f"{arguments.config}: {warning}", file=sys.stderr)
    for name in factory.unanswerable(config):
        problem = "Twilio brings no answers back from Korea (+82); use `channel: solapi`, or answer by link or console"
        print(f"{arguments.config}: recipients: {name}: {problem}", file=sys.stderr)
    if config.links is not None:
        Signer.of(config.links)
    elif config.recipients:
        print(f"{arguments.config}: links: none; notifications carry no link to answer by", file=sys.stderr)
    if not config.recipients:
        print(f"{arguments.config}: recipients: none; no notification is sent to anyone", file=sys.stderr)
    people = ", ".join(f"{person.name} ({_reached(person)}, {person.language})" for person in config.recipients)
    print(f"{arguments.config}: good. Messages by {_listed(senders.names)} to {people or 'no one'}.")
    print(f"{config.rules_file}: good. {len(book.rules)} rules: {', '.join(rule.name for rule in book.rules)}.")
    return 0


def _reached(person: config_file.Recipient) -> str:
    return person.e164 or f"by {person.channel}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"

"""The verb `wordcam-broker send-test`: sends a test message by the channel of each recipient."""

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from broker.config import broker as config_file
from broker.config.broker import Config, Recipient
from broker.config.errors import Misconfigured, Unavailable
from broker.config.section import Language
from broker.config.sites import Places
from broker.notify.message import segments
from broker.notify.message import texts as words
from broker.ports import Busy, Sender, SendFailed
from broker.service import factory

LONGEST_WAIT: Final = timedelta(seconds=5)
"""Someone sits at the terminal and waits."""


def run(arguments: argparse.Namespace) -> int:
    """Send a test message to the recipients that are meant; raises `Misconfigured` or `Unavailable`."""
    config = config_file.load(arguments.config)
    people = [person for person in config.recipients if arguments.to in (None, person.name)]
    if not people:
        known = ", ".join(person.name for person in config.recipients) or "nobody"
        raise Misconfigured(f"{arguments.config}: recipients: no {arguments.to or 'recipient'}; known: {known}")
    senders = factory.senders(config, sys.stdout)
    for person in people:
        sender = senders.of(person.name)
        text = send(config, person, sender)
        print(f"{person.name}: {sender.name}, {segments.parts(text)} part(s)")
    return 0


def send(config: Config, recipient: Recipient, sender: Sender) -> str:
    """Send one test message by any channel and return its text; raises `Unavailable` where it is not taken."""
    language: Language = recipient.language
    at = Places.of(config).local(datetime.now(UTC), "")
    text = segments.plain(words.of(language).test.format(name=recipient.name, time=f"{at:%H:%M}"))
    try:
        _send_when_free(sender, recipient.e164 or recipient.name, text)
    except SendFailed as error:
        raise Unavailable(f"{recipient.name}: {sender.name} did not take the message: {error}") from error
    return text


def _send_when_free(sender: Sender, to: str, text: str) -> None:
    """Send, waiting once where the channel asks for a little patience; raises `SendFailed`."""
    try:
        sender.send(to, text)
    except Busy as error:
        if error.retry_after > LONGEST_WAIT:
            raise
        time.sleep(error.retry_after.total_seconds())
        sender.send(to, text)

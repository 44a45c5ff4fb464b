"""Since when every device is heard, and what breaks that off."""

from datetime import timedelta

from broker.ingest.listening import Listening
from tests.broker.device import NOON

LATER = NOON + timedelta(minutes=25)


def test_it_begins_with_the_subscription_and_ends_with_the_connection() -> None:
    listening = Listening()
    assert listening.since is None

    listening.subscribe(NOON)
    assert listening.since == NOON
    listening.store(LATER)
    assert listening.since == NOON

    listening.disconnect()
    assert listening.since is None


def test_it_begins_anew_once_messages_can_be_stored_again() -> None:
    listening = Listening()
    listening.subscribe(NOON)

    listening.stall()
    assert listening.since is None
    listening.store(LATER)

    assert listening.since == LATER

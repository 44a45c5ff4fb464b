"""Answers an incident by the link of a notification, once, without a login."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from broker.incidents import responses
from broker.incidents.responses import Answered, Effect
from broker.notify import notifications
from broker.notify.links import Refused, Signer


class Choice(StrEnum):
    """What the buttons behind a link answer."""

    TAKE = "take"
    GOING = "going"
    OVER = "over"
    FALSE = "false"


ACTS: Final[dict[Choice, Callable[..., Answered]]] = {
    Choice.TAKE: responses.acknowledge,
    Choice.GOING: responses.acknowledge,
    Choice.OVER: responses.resolve,
    Choice.FALSE: responses.false_alarm,
}

ON_MY_WAY: Final = {"en": "on my way", "ko": "출동 중"}
"""The note that GOING leaves in the timeline."""


def use(connection: Connection, signer: Signer, token: str, *, at: datetime, choice: Choice = Choice.TAKE) -> Answered:
    """Answer by a link, once; raises `Refused`."""
    alert = notifications.get(connection, signer.read(token))
    if alert is None or alert.incident_id is None:
        raise Refused("this link is not one of ours")
    signer.require_valid(alert, at=at)
    if not notifications.use_link(connection, alert.id, at=at):
        raise Refused("this link was used before")
    answered = ACTS[choice](connection, alert.incident_id, by=alert.recipient, how="link", at=at)
    if choice is Choice.GOING and answered.effect is Effect.DONE:
        responses.note(connection, alert.incident_id, ON_MY_WAY[alert.language], by=alert.recipient, at=at)
    return answered

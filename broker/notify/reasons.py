"""Why people are notified of an incident, or not, and what happened to it: values, and how they are stored as text.

The columns hold text of 400 characters at most. Version 0.1 wrote English sentences into them; these stay readable as
`Prose`. What is written now is JSON: `[{"is":"no-answer","minutes":5}]`.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from broker.rules import reasons as rules
from broker.rules.reasons import Reason, Reasons

How = Literal["sms", "link", "console", "terminal"]
"""How an answer came."""

MAX_CHARS: Final = 400
"""Of a stored text: the width of the columns."""

MARK: Final = '[{"is":'
"""How every stored list of reasons begins."""


class Prose(Reason, frozen=True):
    """Words as they are: someone's note, or a reason that version 0.1 wrote."""

    text: str


class NotNotifiedYet(Reason, frozen=True):
    """Nobody was notified of the incident before."""


class MoreSevere(Reason, frozen=True):
    """The incident is more severe than when people were notified last."""

    severity: str
    before: str


class NoneDelivered(Reason, frozen=True):
    """No notification of the incident could be sent."""


class FailedRecently(Reason, frozen=True):
    """The last notification was given up a short while ago."""

    seconds: int


class AnotherCamera(Reason, frozen=True):
    """A camera sees the danger that the last notification did not name."""

    camera: str


class Pending(Reason, frozen=True):
    """The last notification is still to be sent."""


class StillVisible(Reason, frozen=True):
    """The danger is still seen, a cooldown after the last notification."""


class SentRecently(Reason, frozen=True):
    """The last notification was sent so many seconds ago."""

    seconds: int


class NotifiedAs(Reason, frozen=True):
    """The notification of a more severe rule covers this one."""

    rule: str


class Inhibited(Reason, frozen=True):
    """People know of a greater danger at this site."""

    danger: str
    incident: int


class ClosedBefore(Reason, frozen=True):
    """Someone has just closed an incident of the same camera."""

    by: str
    incident: int
    state: str


class Silenced(Reason, frozen=True):
    """A silence applies."""

    silence: int
    author: str
    reason: str


class NoRecipient(Reason, frozen=True):
    """No recipient asked for this danger at this site."""


class NoAnswer(Reason, frozen=True):
    """Nobody answered in time."""

    minutes: int


class Unreachable(Reason, frozen=True):
    """None of those notified last can be reached now."""

    people: str


class NotSeenFor(Reason, frozen=True):
    """No camera has seen the danger for so long."""

    minutes: int


class NoLongerSeen(Reason, frozen=True):
    """No camera sees the danger any more."""


class DevicesRecovered(Reason, frozen=True):
    """Every device of the incident reports again."""


class DevicesWellFor(Reason, frozen=True):
    """Every device of the incident has reported for so long."""

    seconds: int


class ClosedAs(Reason, frozen=True):
    """Someone closed the incident."""

    by: str
    state: str


class DeviceMissing(Reason, frozen=True):
    """A device or its camera is missing."""

    cause: str
    """A value of `broker.incidents.presence.detector.Cause`."""
    since: str
    """By the clock of the site."""
    reason: str = ""
    """As the device gave it."""


class Away(Reason, frozen=True):
    """The recipient is away."""

    reason: str = ""


class OptedOut(Reason, frozen=True):
    """The recipient wrote STOP."""


class QuietHours(Reason, frozen=True):
    """The recipient has quiet hours."""

    until: str


class HourlyLimit(Reason, frozen=True):
    """The recipient got as many notifications in an hour as are allowed."""

    count: int
    limit: int


class Gathered(Reason, frozen=True):
    """So many notifications waited for the recipient."""

    count: int


class Late(Reason, frozen=True):
    """The sighting is so old that its notification waits for others that are."""

    minutes: int


class NamedNow(Reason, frozen=True):
    """A sentence names the danger that was only suspected in the last notification."""


class SeveralEnded(Reason, frozen=True):
    """So many incidents have ended for the recipient a short while ago; this end waits for others."""

    count: int


class SeenNow(Reason, frozen=True):
    """The danger is seen now, and people were notified of a late sighting before."""


class OpenedBy(Reason, frozen=True):
    """What opened the incident."""

    rule: str
    camera: str
    reasons: tuple[Any, ...]


class SeenBy(Reason, frozen=True):
    """Another camera, or other devices, joined the incident."""

    names: str


class SeenByMany(Reason, frozen=True):
    """Many devices joined the incident: some by name, and how many more."""

    names: str
    more: int


class SeverityRaised(Reason, frozen=True):
    """A more severe rule saw the danger."""

    severity: str
    reasons: tuple[Any, ...]


class AlsoSeen(Reason, frozen=True):
    """Another danger was seen beside it, and is covered by this incident."""

    danger: str
    camera: str


class NotificationFor(Reason, frozen=True):
    """A notification was written, or deferred, for these people."""

    kind: str
    people: str
    reasons: tuple[Any, ...]


class EscalatedTo(Reason, frozen=True):
    """The next people were notified."""

    people: str
    reasons: tuple[Any, ...]


class NobodyAnswered(Reason, frozen=True):
    """The escalation ended without an answer."""


class Via(Reason, frozen=True):
    """How an answer came."""

    how: How


OWN: Final = (
    *(Prose, NotNotifiedYet, MoreSevere, NoneDelivered, FailedRecently, AnotherCamera, Pending, StillVisible),
    *(SentRecently, NotifiedAs, Inhibited, ClosedBefore, Silenced, NoRecipient, NoAnswer, Unreachable, NotSeenFor),
    *(NoLongerSeen, DevicesRecovered, DevicesWellFor, ClosedAs, DeviceMissing, Away, QuietHours, HourlyLimit, Gathered),
    *(Late, SeenNow, NamedNow, SeveralEnded, OptedOut),
    *(OpenedBy, SeenBy, SeenByMany, SeverityRaised, AlsoSeen, NotificationFor, EscalatedTo, NobodyAnswered, Via),
)

KINDS: Final[tuple[type[Reason], ...]] = (*rules.TEXTS["en"], *OWN)
"""Every reason that may be stored."""


def encode(reasons: Sequence[Reason]) -> str:
    """Write reasons as stored text of `MAX_CHARS` at most; long words in them are cut, or the last reasons left out."""
    if len(reasons) == 1 and isinstance(reasons[0], Prose) and not reasons[0].text.startswith(MARK):
        return reasons[0].text[:MAX_CHARS]
    whole = list(reasons)
    while whole:
        for word_chars in (MAX_CHARS, 120, 60, 30):
            text = msgspec.json.encode(_cut(msgspec.to_builtins(whole), word_chars)).decode()
            if len(text) <= MAX_CHARS:
                return text
        whole.pop()
    return ""


def decode(text: str) -> Reasons:
    """Read a stored text; what is not ours, or from a newer version, is `Prose`."""
    if not text:
        return ()
    if text.startswith(MARK):
        try:
            return tuple(_convert(one) for one in msgspec.json.decode(text, type=list[dict[str, Any]]))
        except msgspec.MsgspecError:
            pass
    return (Prose(text),)


def _convert(tree: dict[str, Any]) -> Reason:
    """Read one reason; raises `msgspec.ValidationError`."""
    inner = tree.get("reasons")
    if isinstance(inner, list):
        tree = tree | {"reasons": [_convert(msgspec.convert(one, dict[str, Any])) for one in inner]}
    kind = _BY_TAG.get(tree.get("is", ""))
    if kind is None:
        raise msgspec.ValidationError(f"unknown reason {tree.get('is')!r}")
    return msgspec.convert(tree, kind)


_BY_TAG: Final = {str(kind.__struct_config__.tag): kind for kind in KINDS}


def _cut(tree: Any, chars: int) -> Any:
    """Cut every string of a tree that is longer than this, with an ellipsis."""
    if isinstance(tree, str):
        return tree if len(tree) <= chars else tree[: chars - 1] + "…"
    if isinstance(tree, list | tuple):
        return [_cut(one, chars) for one in tree]
    if isinstance(tree, dict):
        return {key: _cut(value, chars) for key, value in tree.items()}
    return tree

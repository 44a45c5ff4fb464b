"""The caption event: one sentence about what one camera saw at one moment."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract import wire
from contract.errors import Refused

TYPE: Final = "org.wordcam.caption.v1"
"""The CloudEvents `type` of this event."""

MAX_TEXT_CHARS: Final = 200
"""One sentence fits; a story, or a picture in base64, does not."""

MAX_SEQ: Final = 2**31 - 1
"""A caption a second for 68 years, and what every database keeps as a number."""

MAX_AGE_SECONDS: Final = 10 * 365 * 86400
"""Ten years: longer than any device waits."""

ONE_LINE: Final = r"^[^\x00-\x1f\x7f\u2028\u2029]+" + wire.END
"""No control character and no line break, so that a caption cannot forge a second line in a log or a terminal."""

MAX_VISITS: Final = 8
"""Visits that one caption carries: more people than that are a number."""

MAX_BOXES: Final = 4
"""Boxes of one kind of thing: what is in view is counted, and the clearest of it placed."""

MAX_ZONES: Final = 4
"""Zones that one visit carries; those of a camera seldom overlap."""

MAX_SECONDS: Final = 2**31 - 1
"""A visit of 68 years."""

Name = Annotated[str, Meta(pattern=wire.NAME, description="1 to 63 of a-z, 0-9 and inner hyphens")]
Share = Annotated[float, Meta(ge=0, le=1)]


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the frame; lengths are shares of the frame's width and height."""

    left: Share
    """Left edge."""
    top: Share
    """Top edge."""
    width: Share
    """Width."""
    height: Share
    """Height."""


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of thing that the detector found in the frame."""

    name: Annotated[str, Meta(min_length=1, max_length=32)]
    """What it is, in English: `person`."""
    count: Annotated[int, Meta(ge=1, le=999)]
    """How many of them."""
    score: Share
    """The best detection's score, 0 to 1."""
    boxes: Annotated[tuple[Box, ...], Meta(max_length=MAX_BOXES)] | msgspec.UnsetType = msgspec.UNSET
    """Where they are, the surest first; absent where the device does not say."""


class Hazard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One danger, with how sure the device is that it is there."""

    term: Annotated[str, Meta(min_length=1, max_length=32)]
    """The danger, in English: `gun`, `fire`."""
    probability: Share
    """That it is there, by all frames up to this one; without evidence, the mass of the final beam's sentences that
    name it; 0 to 1. One odd frame does not raise it far."""
    evidence: Share | None = None
    """What this frame alone gives it, 0 to 1."""
    since: Annotated[datetime, Meta(tz=True)] | None = None
    """Since when it has been there without a break (RFC 3339, UTC); absent while it is in doubt."""
    box: Box | None = None
    """Where its evidence is strongest; absent where that is the frame as a whole."""

    def __post_init__(self) -> None:
        if self.since is not None:
            wire.check_moment(self.since)


class Phase(StrEnum):
    """How far a visit has come."""

    ARRIVES = "arrives"
    """Nothing was said of it before."""
    STAYS = "stays"
    """It was there before, and still is."""
    LEAVES = "leaves"
    """It is over: nothing more will be said of it."""


Seconds = Annotated[int, Meta(ge=0, le=MAX_SECONDS)]


class InZone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A zone that someone is in."""

    name: Name
    """The zone, as the device's configuration names it: `north-door`."""
    seconds: Seconds
    """How long they have been in it without a break."""
    entered: bool = False
    """Whether no caption before this one has said so."""


class Visit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One person in view, from arriving to leaving."""

    id: Annotated[str, Meta(min_length=4, max_length=32, pattern=r"^[A-Za-z0-9_-]+" + wire.END)]
    """Unique per `source`; every caption of this visit carries it."""
    phase: Phase
    """How far it has come."""
    seconds: Seconds
    """How long it has lasted so far; of one that leaves, how long it was."""
    zones: Annotated[tuple[InZone, ...], Meta(max_length=MAX_ZONES)] = ()
    """Zones that they are in."""


class Caption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sentence, with where, when and how sure.

    Fields are in reading order, so that a plain MQTT subscriber's terminal shows the sentence first.
    """

    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARS, pattern=ONE_LINE)]
    """The sentence, without control characters."""
    captured_at: Annotated[datetime, Meta(tz=True)]
    """When the frame was taken (RFC 3339, UTC): the time an alert speaks of."""
    site: Name
    """Where the device is: `north-gate`."""
    device: Name
    """Which device at that site: `pi-01`."""
    stream: Name
    """Which camera of that device: `cam-0`."""
    confidence: Share
    """Geometric mean of the probabilities of the sentence's tokens."""
    labels: Annotated[tuple[Label, ...], Meta(max_length=8)] = ()
    """What the detector counted in the same frame."""
    hazards: Annotated[tuple[Hazard, ...], Meta(max_length=8)] = ()
    """Dangers that the beam speaks of, most probable first, even where the best sentence does not."""
    people: Annotated[int, Meta(ge=0, le=999)] | msgspec.UnsetType = msgspec.UNSET
    """People in view, by all frames up to this one; absent where the device follows nobody. `labels` counts the boxes
    of this frame alone."""
    visits: Annotated[tuple[Visit, ...], Meta(max_length=MAX_VISITS)] | msgspec.UnsetType = msgspec.UNSET
    """Who is in view or has just left, those with news first; absent where that is nobody."""
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?" + wire.END)] = "en"
    """Language of `text` (BCP 47)."""
    model: Annotated[str, Meta(min_length=1, max_length=64)]
    """Name and version of the bundle that wrote the sentence: `wordcam-1@1.0.0`."""
    seq: Annotated[int, Meta(ge=0, le=MAX_SEQ)]
    """Counts this device's captions from 0 for as long as its outbox lives; a gap means a caption was given up."""
    id: Annotated[str, Meta(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+" + wire.END)]
    """CloudEvents: unique per `source`; every repeat of an event carries the same."""
    source: Annotated[str, Meta(min_length=1, max_length=160)]
    """CloudEvents: `/wordcam/<site>/<device>/<stream>`."""
    specversion: Annotated[str, Meta(pattern=r"^1\.0" + wire.END)] = wire.SPEC_VERSION
    """CloudEvents: `1.0`."""
    type: Annotated[str, Meta(pattern=r"^org\.wordcam\.caption\.v1" + wire.END)] = TYPE
    """CloudEvents: `org.wordcam.caption.v1`."""
    time: Annotated[datetime, Meta(tz=True)]
    """CloudEvents: when the device wrote the event (RFC 3339, UTC)."""
    age_seconds: Annotated[int, Meta(ge=0, le=MAX_AGE_SECONDS)] | msgspec.UnsetType = msgspec.UNSET
    """Seconds from `time` to this publication, by a clock that nobody sets; each repeat has its own. Absent where the
    device was started in between. Where the device's clock is wrong, the time of arrival less this is right."""

    def __post_init__(self) -> None:
        if self.source != source(self.site, self.device, self.stream):
            raise ValueError(f"`source` is {self.source!r}, {source(self.site, self.device, self.stream)!r} is right")
        for moment in (self.captured_at, self.time):
            wire.check_moment(moment)


def source(site: str, device: str, stream: str) -> str:
    """Spell the CloudEvents `source` of a camera."""
    return f"/wordcam/{site}/{device}/{stream}"


def encode(event: Caption) -> bytes:
    """Return the event as UTF-8 JSON; raises `Refused` ("too-large") over 2 KiB."""
    return wire.encode(event)


def decode(payload: bytes, *, site: str | None = None, device: str | None = None) -> Caption:
    """Read an event; with `site` and `device` (from the topic it came on), refuse another device's.

    Raises `Refused` ("too-large", "not-utf8", "not-json", "schema", "not-ours").
    """
    event = wire.decode(payload, Caption)
    for field, said, expected in (("site", event.site, site), ("device", event.device, device)):
        if expected is not None and said != expected:
            raise Refused("not-ours", f"`{field}` is {said!r} in an event on the topic of {expected!r}")
    return event


def one_line(words: Iterable[str]) -> str:
    """Join words to a sentence that `text` accepts, cut between words at 200 characters."""
    text = " ".join(" ".join(words).split())
    if len(text) <= MAX_TEXT_CHARS:
        return text
    return text[: MAX_TEXT_CHARS + 1].rsplit(" ", 1)[0][:MAX_TEXT_CHARS]

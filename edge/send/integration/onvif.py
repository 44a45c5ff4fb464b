"""ONVIF: dangers and camera conditions as property events in JSON, as a video management system reads them over MQTT.

ONVIF Core Specification, "Event broker" (github.com/onvif/specs, doc/Core.xml): topics are
`TopicPrefix/onvif-ej/LocalTopic/&Source...` with the values of the source in the order of the payload, topics of the
ONVIF namespace without prefix and others with theirs; a payload is `{"UtcTime", "Source", "Data"}`; property events
are retained, and carry no `PropertyOperation`.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from contract.caption import Caption
from contract.status import CameraCondition, Condition, Status
from edge import config
from edge.send.integration import ongoing
from edge.send.integration.ongoing import Begun
from edge.send.integration.port import Message

DANGER: Final = "RuleEngine/wordcam:Danger"
"""No topic of the ONVIF namespace says that a danger stands."""

CONDITIONS: Final[dict[Condition, str]] = {
    Condition.COVERED: "VideoSource/GlobalSceneChange/AnalyticsService",
    Condition.MOVED: "VideoSource/GlobalSceneChange/AnalyticsService",
    Condition.DARK: "VideoSource/ImageTooDark/AnalyticsService",
    Condition.DEFOCUSED: "VideoSource/ImageTooBlurry/AnalyticsService",
    Condition.FROZEN: "VideoSource/wordcam:Frozen/AnalyticsService",
    Condition.CORRUPT: "VideoSource/wordcam:Corrupt/AnalyticsService",
}
"""Local topics (ONVIF Imaging Service Specification, "Events"; those with a prefix are ours)."""


class Memory(msgspec.Struct, frozen=True):
    """What was published as true."""

    dangers: ongoing.Memory
    conditions: tuple[tuple[str, str], ...]
    """Local topic and stream of each."""


NOTHING: Final = Memory({}, ())


class Onvif:
    """The ONVIF events of one device."""

    def __init__(
        self, settings: config.Onvif, *, site: str, device: str, memory: Memory, keep: Callable[[Memory], object]
    ) -> None:
        """`keep` stores what is known to be published for the next process."""
        self._prefix = f"{settings.topic_prefix or f'{site}/{device}'}/onvif-ej"
        self._memory = memory
        self._keep = keep

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Return no topic."""
        return ()

    def on_connect(self) -> Iterable[Message]:
        """Return nothing: what was published is retained."""
        return ()

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> Iterable[Message]:  # noqa: ARG002  # none comes
        """Return nothing."""
        return ()

    def on_caption(self, event: Caption) -> Iterator[Message]:
        """Return an event for each danger that begins or ends."""
        dangers, changes = ongoing.take(self._memory.dangers, event)
        self._memory = msgspec.structs.replace(self._memory, dangers=dangers)
        for change in changes:
            term = change.hazard.term if isinstance(change, Begun) else change.term
            data = {"Likelihood": change.hazard.probability} if isinstance(change, Begun) else {}
            source = {"VideoSource": change.stream, "Rule": term}
            yield self._event(DANGER, source, change.at, isinstance(change, Begun), data)
        if changes:
            self._keep(self._memory)

    def on_status(self, said: Status) -> Iterator[Message]:
        """Return an event for each camera condition that begins or ends."""
        if said.at is None:
            return
        conditions = () if isinstance(said.conditions, msgspec.UnsetType) else said.conditions
        now = _earliest(conditions)
        before = set(self._memory.conditions)
        for local, stream in sorted(now.keys() - before):
            yield self._event(local, {"Source": stream}, now[local, stream], True, {})
        for local, stream in sorted(before - now.keys()):
            yield self._event(local, {"Source": stream}, said.at, False, {})
        if before != now.keys():
            self._memory = msgspec.structs.replace(self._memory, conditions=tuple(sorted(now)))
            self._keep(self._memory)

    def _event(self, local: str, source: dict[str, str], at: datetime, state: bool, data: dict[str, float]) -> Message:
        topic = f"{self._prefix}/{local}/&{'/'.join(source.values())}"
        payload = {"UtcTime": at, "Source": source, "Data": {"State": state, **data}}
        return Message(topic, msgspec.json.encode(payload), retain=True)


def _earliest(conditions: Iterable[CameraCondition]) -> dict[tuple[str, str], datetime]:
    """Return since when each local topic is true of each stream."""
    found: dict[tuple[str, str], datetime] = {}
    for one in conditions:
        key = CONDITIONS[one.condition], one.stream
        found[key] = min(found.get(key, one.since), one.since)
    return found

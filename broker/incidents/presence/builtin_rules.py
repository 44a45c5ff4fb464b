"""The built-in rules for lost devices: they raise incidents as rules of the file do."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from broker.config.errors import Misconfigured
from broker.config.incidents import PresenceSettings
from broker.config.section import Wording
from broker.incidents.presence.detector import DANGER
from broker.rules.compiler import Rule, Rulebook
from broker.rules.threshold import ONCE

SILENT: Final = "device-silent"
BLIND: Final = "camera-lost"
TITLES: Final = {
    SILENT: Wording(en="Device silent", ko="장치 무응답"),
    BLIND: Wording(en="Camera lost", ko="카메라 이상"),
}
"""What they are called."""


def of(settings: PresenceSettings, *, blind: bool) -> Rule:
    """Return the rule for a device that is silent, or for one that speaks but is `blind`; no caption fires either."""
    name = BLIND if blind else SILENT
    return Rule(
        name=name,
        title=TITLES[name],
        danger=DANGER,
        severity=settings.severity,
        says=(),
        exceptions=(),
        unless=(),
        hazards={},
        labels={},
        requires={},
        min_confidence=0,
        need=ONCE,
        cooldown=timedelta(minutes=settings.repeat_minutes),
        sites=frozenset(),
        devices=frozenset(),
        streams=frozenset(),
        zones=frozenset(),
        when=[],
    )


def beside(book: Rulebook, settings: PresenceSettings | None) -> Rulebook:
    """Add them to the rules of the file; raises `Misconfigured` where the file uses one of their names."""
    if settings is None:
        return book
    for rule in book.rules:
        if rule.name in TITLES or rule.danger == DANGER:
            raise Misconfigured(f"rules: {rule.name!r}: that name belongs to lost devices; rename the rule")
    return replace(book, rules=(*book.rules, of(settings, blind=False), of(settings, blind=True)))

"""The built-in rules for lost devices and cameras that show nothing: they raise incidents as rules of the file do."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Final

from broker.config.errors import Misconfigured
from broker.config.incidents import PresenceSettings
from broker.config.section import Wording
from broker.incidents.presence.detector import DANGER, Cause
from broker.rules.company import Wanted
from broker.rules.compiler import Rule, Rulebook
from broker.rules.threshold import ONCE

SILENT: Final = "device-silent"
BLIND: Final = "camera-lost"
CONDITION: Final = "camera-condition"
TITLES: Final = {
    SILENT: Wording(en="Device silent", ko="장치 무응답"),
    BLIND: Wording(en="Camera lost", ko="카메라 이상"),
    CONDITION: Wording(en="Camera picture", ko="카메라 영상 이상"),
}
"""What they are called."""


def of(settings: PresenceSettings, causes: Collection[Cause]) -> Rule:
    """Return the rule for devices that are lost by these causes, the gravest of which names it."""
    if not all(cause.is_blind for cause in causes):
        return _named(SILENT, settings)
    return _named(CONDITION if all(cause.is_condition for cause in causes) else BLIND, settings)


def _named(name: str, settings: PresenceSettings) -> Rule:
    """Return a rule that no caption fires."""
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
        company=Wanted(),
        min_confidence=0,
        need=ONCE,
        cooldown=timedelta(minutes=settings.repeat_minutes),
        sites=frozenset(),
        devices=frozenset(),
        streams=frozenset(),
        zones=frozenset(),
        profiles=frozenset(),
        when=[],
    )


def beside(book: Rulebook, settings: PresenceSettings | None) -> Rulebook:
    """Add them to the rules of the file; raises `Misconfigured` where the file uses one of their names."""
    if settings is None:
        return book
    for rule in book.rules:
        if rule.name in TITLES or rule.danger == DANGER:
            raise Misconfigured(f"rules: {rule.name!r}: that name belongs to lost devices; rename the rule")
    return replace(book, rules=(*book.rules, *(_named(name, settings) for name in TITLES)))

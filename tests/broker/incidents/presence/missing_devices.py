"""What tests of missed devices have in common: time passes while some devices speak, and texts are read."""

from dataclasses import replace
from typing import Final

from broker.config.broker import Language
from broker.config.incidents import PresenceSettings
from broker.config.sites import Places
from broker.incidents.presence import builtin_rules
from broker.notify.message.composer import Composer
from broker.notify.translation.offline import OfflineTranslator
from tests.broker.scene import RULES, Scene

SETTINGS: Final = PresenceSettings(repeat_minutes=60)

COMPOSER: Final = Composer(Places.nameless(), builtin_rules.beside(RULES, SETTINGS), OfflineTranslator())


def pass_by(room: Scene, *speaking: str, seconds: int) -> list[str]:
    """Let time pass in steps of ten seconds, or of a minute where it is long; who speaks has a heartbeat in each."""
    gone: list[str] = []
    step = 10 if seconds <= 600 else 60
    for _ in range(seconds // step):
        for device in speaking:
            room.state(device)
        gone += room.wait(seconds=step)
    return gone


def texts(room: Scene, language: Language = "en") -> list[str]:
    """Return every message as it would be sent, in a language."""
    return [COMPOSER(replace(one, language=language), one.created_at) for one in room.alerts]

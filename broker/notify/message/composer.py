"""Makes the text of an alert from what the database holds of it."""

from dataclasses import dataclass, field
from datetime import datetime

from broker.config.broker import in_language
from broker.config.sites import Places
from broker.notify.message import outage, render, segments
from broker.notify.message.render import Telling
from broker.notify.notifications import Kind, Notification
from broker.ports import Translator
from broker.rules.compiler import Rulebook


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes the text of an alert for its recipient."""

    places: Places
    rulebook: Rulebook
    translator: Translator
    by_korean_gateway: frozenset[str] = field(default=frozenset())
    """Names of the recipients whose messages a Korean gateway counts, by bytes."""

    def __call__(self, alert: Notification, now: datetime) -> str:
        """Return the message as it is sent."""
        language = alert.language
        fits = segments.is_one_in_korea if alert.recipient in self.by_korean_gateway else segments.is_one
        local = self.places.local(now, alert.site)
        telling = self._lost(alert, local) if alert.facts.get("lost") else self._said(alert)
        return render.text(telling, language=language, now=local, fits=fits)

    def _said(self, alert: Notification) -> Telling:
        """Compose a notification about a caption."""
        language = alert.language
        ids = (alert.site, alert.device, alert.stream)
        sentence, *briefer = self.translator.versions(
            alert.sentence, source=alert.sentence_language, target=language
        ) or [alert.sentence]
        return Telling(
            title=self._title(alert),
            site=self.places.name(*ids[:1], language=language),
            device=self.places.name(*ids[:2], language=language),
            stream=self.places.name(*ids, language=language),
            at=self.places.local(alert.captured_at, alert.site),
            sentence=sentence,
            original=alert.sentence,
            briefer=tuple(briefer),
            kind=alert.kind.value,
            count=int(alert.facts.get("count", 0)),
            closed_by=_closed_by(alert),
            incident=alert.incident_id,
        )

    def _lost(self, alert: Notification, now: datetime) -> Telling:
        """Compose a notification about lost devices; `now` is by the clock of the site."""
        language = alert.language
        only, sentence, *briefer = outage.say(alert, self.places, now)
        return Telling(
            title=self._title(alert),
            site=self.places.name(alert.site, language=language),
            device=self.places.name(alert.site, only, language=language) if only else "",
            stream="",
            at=self.places.local(alert.created_at, alert.site),
            sentence=sentence,
            original=sentence,
            briefer=tuple(briefer),
            kind=alert.kind.value,
            count=int(alert.facts.get("count", 0)),
            closed_by=_closed_by(alert),
            incident=alert.incident_id,
        )

    def _title(self, alert: Notification) -> str:
        title = next((rule.title for rule in self.rulebook.rules if rule.name == alert.rule), "")
        return in_language(title, alert.language) or alert.rule


def _closed_by(alert: Notification) -> str:
    closed_by = alert.facts.get("by", "") if alert.kind is Kind.RESOLVED else ""
    return closed_by if isinstance(closed_by, str) else ""

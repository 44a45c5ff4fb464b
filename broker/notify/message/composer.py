"""Makes the text of an alert from what the database holds of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from broker.config.broker import in_language
from broker.config.sites import Places
from broker.notify.links import Signer
from broker.notify.message import age, outage, render, segments, texts
from broker.notify.message.render import Telling
from broker.notify.notifications import Kind, Notification
from broker.ports import Translator
from broker.rules import engine
from broker.rules.compiler import Rulebook
from broker.rules.engine import Seen
from broker.rules.reasons import HazardBelieved, Reason, Says


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes the text of an alert for its recipient."""

    places: Places
    rulebook: Rulebook
    translator: Translator
    by_korean_gateway: frozenset[str] = field(default=frozenset())
    """Names of the recipients whose messages a Korean gateway counts, by bytes."""
    signer: Signer | None = None
    """Makes the links by which a notification is answered; None for none."""

    def __call__(self, notification: Notification, now: datetime) -> str:
        """Return the message as it is sent."""
        language = notification.language
        if notification.kind is Kind.CONTACT:
            return self._contact(notification, now)
        fits = segments.is_one_in_korea if notification.recipient in self.by_korean_gateway else segments.is_one
        local = self.places.local(now, notification.site)
        telling = self._lost(notification, local) if notification.facts.get("lost") else self._said(notification)
        if self.signer is not None and notification.incident_id is not None and notification.kind is not Kind.RESOLVED:
            telling = replace(telling, link=self.signer.masked(notification.id))
        return render.text(telling, language=language, now=local, fits=fits)

    def _contact(self, notification: Notification, now: datetime) -> str:
        """Compose what someone is notified of a colleague who cannot be reached, or can be again."""
        said, name = texts.of(notification.language), segments.plain(str(notification.facts["name"]))
        if "away_until" not in notification.facts:
            return said.contact[bool(notification.facts["reachable"])].format(name=name)
        ends_at = self.places.local(datetime.fromisoformat(str(notification.facts["away_until"])), "")
        return said.away.format(name=name, time=render.clock(ends_at, self.places.local(now, "")))

    def _said(self, notification: Notification) -> Telling:
        """Compose a notification about a caption."""
        language = notification.language
        ids = (notification.site, notification.device, notification.stream)
        sentence, *briefer = self.translator.versions(
            notification.sentence, source=notification.sentence_language, target=language
        ) or [notification.sentence]
        reason = self._reason(notification)
        return Telling(
            title=self._title(notification),
            suspected=reason.probability if isinstance(reason, HazardBelieved) else None,
            fired=reason.phrase if isinstance(reason, Says) else "",
            site=self.places.name(*ids[:1], language=language),
            device=self.places.name(*ids[:2], language=language),
            stream=self._camera(notification),
            at=self.places.local(notification.captured_at, notification.site),
            sentence=sentence,
            original=notification.sentence,
            briefer=tuple(briefer),
            kind=notification.kind.value,
            count=int(notification.facts.get("count", 0)),
            ended=int(notification.facts.get("ended", 0)),
            is_over=notification.facts.get("described_ended") is True,
            closed_by=_closed_by(notification),
            unseen_minutes=_unseen_minutes(notification),
            unanswered=notification.facts.get("unanswered") is True,
            incident=notification.incident_id,
            late=_late(notification),
        )

    def _camera(self, notification: Notification) -> str:
        """Name the camera; "" where nobody named it and its device has no other."""
        ids = (notification.site, notification.device, notification.stream)
        if notification.facts.get("sole_camera") is True and not self.places.is_named(*ids):
            return ""
        return self.places.name(*ids, language=notification.language)

    def _lost(self, notification: Notification, now: datetime) -> Telling:
        """Compose a notification about lost devices; `now` is by the clock of the site."""
        language = notification.language
        only, sentence, *briefer = outage.say(notification, self.places, now)
        return Telling(
            title=self._title(notification),
            site=self.places.name(notification.site, language=language),
            device=self.places.name(notification.site, only, language=language) if only else "",
            stream="",
            at=self.places.local(notification.created_at, notification.site),
            sentence=sentence,
            original=sentence,
            briefer=tuple(briefer),
            kind=notification.kind.value,
            count=int(notification.facts.get("count", 0)),
            ended=int(notification.facts.get("ended", 0)),
            is_over=notification.facts.get("described_ended") is True,
            closed_by=_closed_by(notification),
            incident=notification.incident_id,
        )

    def _reason(self, notification: Notification) -> Reason | None:
        """Return why the rule fires on the caption: by its words or, without such, by the model's evidence."""
        if notification.kind is Kind.RESOLVED or not notification.sentence:
            return None
        ids = (notification.site, notification.device, notification.stream)
        zones = self.places.zones.get(ids, frozenset())
        seen = Seen(notification.sentence, 1.0, notification.hazards, *ids, zones=zones)
        found = (one for one in engine.judge(self.rulebook, seen) if one.rule.name == notification.rule and one.fired)
        return next((one.reasons[0] for one in found if one.reasons), None)

    def _title(self, notification: Notification) -> str:
        title = next((rule.title for rule in self.rulebook.rules if rule.name == notification.rule), "")
        return in_language(title, notification.language) or notification.rule


def _late(notification: Notification) -> str:
    seconds = age.late_seconds(notification.captured_at, notification.received_at)
    return age.say(seconds, notification.language) if seconds and notification.kind is not Kind.RESOLVED else ""


def _closed_by(notification: Notification) -> str:
    closed_by = notification.facts.get("by", "") if notification.kind is Kind.RESOLVED else ""
    return closed_by if isinstance(closed_by, str) else ""


def _unseen_minutes(notification: Notification) -> int | None:
    """Return after how many minutes without a sighting an incident ended by itself; None of all others."""
    minutes = notification.facts.get("unseen_minutes") if notification.kind is Kind.RESOLVED else None
    return minutes if isinstance(minutes, int) else None

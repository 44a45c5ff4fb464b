"""Writes the text message: where, when and what, in the recipient's language and in one part if at all possible."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from broker import sms, words
from broker.config import Language


@dataclass(frozen=True, slots=True)
class Telling:
    """What one person is told."""

    title: str
    """The danger in a word or two."""
    site: str
    device: str
    stream: str
    """Names as people say them."""
    at: datetime
    """When it was seen, by the clock of the site."""
    sentence: str
    """What the camera said, in the recipient's language where it could be translated."""
    original: str
    """What the camera said in its own language."""


def text(telling: Telling, *, language: Language, now: datetime) -> str:
    """Write the message; `now` is by the clock of the site, too, and decides whether the date is needed.

    To stay within one part the place is shortened first (the camera, then the device), then the sentence is cut
    between words. A message that cannot be one part is sent whole in several.
    """
    frame = words.of(language).alert
    facts = {"title": sms.plain(telling.title), "time": _time(telling.at, now)}
    places = [sms.plain(place) for place in _places(telling, words.of(language).between_places)]
    sentence = sms.plain(_sentence(telling))

    def whole(place: str, said: str) -> str:
        return frame.format(place=place, sentence=said, **facts)

    for place in places:
        if sms.parts(whole(place, sentence)) == 1:
            return whole(place, sentence)
    mark = "..." if sms.is_gsm(whole(places[-1], sentence)) else "…"
    cut = sms.shorten(sentence, lambda said: sms.parts(whole(places[-1], said)) == 1, mark=mark)
    return whole(places[0], sentence) if cut is None else whole(places[-1], cut)


def _time(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%m-%d %H:%M}"


def _places(telling: Telling, between: str) -> Iterator[str]:
    yield between.join((telling.site, telling.device, telling.stream))
    yield between.join((telling.site, telling.stream))
    yield between.join((telling.site, telling.device))
    yield telling.site


def _sentence(telling: Telling) -> str:
    """Give the translation followed by the original, because a translation of a danger may be wrong."""
    if telling.sentence == telling.original:
        return telling.original
    return f"{telling.sentence} ({telling.original})"

"""Writes the text message: what, where and when, in the recipient's language and in one part if at all possible."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from broker.config.section import Language
from broker.notify.message import segments, texts
from broker.notify.translation.korean import phonology as particles

DAY: Final = timedelta(days=1)

Fits = Callable[[str], bool]
"""Says whether a text is one message for the one who carries it."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What a notification says to one person."""

    title: str
    """The danger in a word or two."""
    site: str
    device: str
    stream: str
    """Names as in the configuration."""
    at: datetime
    """When it was seen, by the clock of the site."""
    sentence: str
    """The caption in the recipient's language, where it could be translated."""
    original: str
    """The caption in its own language."""
    briefer: tuple[str, ...] = ()
    """The same sentence in shorter and shorter forms, where the translator offers them."""
    kind: str = "first"
    """One of `broker.notify.notifications.Kind`."""
    count: int = 0
    """How many messages a digest stands for."""
    closed_by: str = ""
    """Who brought the incident to its end."""
    incident: int | None = None
    late: str = ""
    """How late the sighting arrived: `3 days`; "" where it was not late."""
    suspected: float | None = None
    """How far the model believes in the danger, 0 to 1, where the sentence does not name it."""
    fired: str = ""
    """The words of the original that name the danger."""
    link: str = ""
    """Address at which its recipient answers; "" for none."""


def text(telling: Telling, *, language: Language, now: datetime, fits: Fits = segments.is_one) -> str:
    """Write the message; `now` is by the clock of the site, too, and decides whether the date is needed.

    What does not fit into one message goes in this order: the original beside its translation, what is beside the
    point in the sentence, the camera's name, the words around those that name the danger, and then the sentence.
    Danger, place and device, time and number stay, and the link where it has room beside these; a message that cannot
    be one is sent whole in several.
    """
    versions = list(_versions(telling, language))
    places = [segments.plain(place) for place in _places(telling, texts.of(language).between_places)]
    whole = _frame(telling, language, now)
    for place in places:
        for said in versions:
            if fits(message := whole(place, said)):
                return message
    shortest, least = versions[-1], places[-1]
    mark = "..." if segments.is_gsm(whole(least, shortest)) else "…"
    keep = segments.harmless(telling.fired)
    cut = segments.shorten(shortest, lambda said: fits(whole(least, said)), mark=mark, keep=keep)
    if cut is not None:
        return whole(least, cut)
    if fits(whole(least, "")):
        return whole(least, "")
    if telling.link:
        return text(replace(telling, link=""), language=language, now=now, fits=fits)
    return whole(places[0], versions[0])


def again(text: str, *, language: Language) -> str:
    """Mark a message that may have been sent already, once."""
    mark = texts.of(language).again
    return text if text.startswith(mark) else mark + text


def _frame(telling: Telling, language: Language, now: datetime) -> Callable[[str, str], str]:
    said = texts.of(language)
    heading = said.headings[telling.kind].format(count=telling.count)
    if telling.late:
        heading = said.late.format(age=telling.late, heading=heading)
    facts = {"heading": heading, "title": _danger(telling, language), "time": clock(telling.at, now)}
    number = "" if telling.incident is None else said.number.format(number=telling.incident)
    link = f" {telling.link}" if telling.link else ""

    def whole(place: str, sentence: str) -> str:
        return said.alert.format(place=place, sentence=sentence, **facts).rstrip(": ") + number + link

    return whole


def _danger(telling: Telling, language: Language) -> str:
    title = segments.plain(telling.title)
    if telling.suspected is None:
        return title
    spoken = particles.marked(title, "로") if language == "ko" else title[:1].lower() + title[1:]
    return texts.of(language).suspected.format(title=spoken, percent=round(telling.suspected * 100))


def clock(at: datetime, now: datetime) -> str:
    """Write a moment as briefly as it can be understood now: one that is a day away has its date with the year."""
    if at.date() == now.date():
        return f"{at:%H:%M}"
    return f"{at:%m-%d %H:%M}" if abs(now - at) < DAY else f"{at:%Y-%m-%d %H:%M}"


def _places(telling: Telling, between: str) -> Iterator[str]:
    site, device, stream = telling.site, telling.device, telling.stream
    for names in ((site, device, stream), (site, device)):
        yield between.join(name for name in names if name)


def _versions(telling: Telling, language: Language) -> Iterator[str]:
    """Return the sentence, the longest first; the original stands beside a translation, which may be wrong."""
    closed = texts.of(language).by.format(name=segments.plain(telling.closed_by)) if telling.closed_by else ""
    if closed:
        yield closed
        return
    sentence, original = segments.harmless(telling.sentence), segments.harmless(telling.original)
    if sentence != original:
        yield f"{sentence} ({original})"
    yield sentence
    yield from (segments.harmless(briefer) for briefer in telling.briefer)

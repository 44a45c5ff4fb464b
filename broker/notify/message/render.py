"""Writes the text message: what, where and when, in the recipient's language and in one part if at all possible."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from broker.config.section import Language
from broker.notify.message import segments, texts

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


def text(telling: Telling, *, language: Language, now: datetime, fits: Fits = segments.is_one) -> str:
    """Write the message; `now` is by the clock of the site, too, and decides whether the date is needed.

    What does not fit into one message goes in this order: the original beside its translation, what is beside the
    point in the sentence, the device's and the camera's name. Time, site and danger stay. At last the sentence is cut
    between words; a message that cannot be one is sent whole in several.
    """
    versions = list(_versions(telling, language))
    places = [segments.plain(place) for place in _places(telling, texts.of(language).between_places)]
    whole = _frame(telling, language, now)
    number = "" if telling.incident is None else texts.of(language).number.format(number=telling.incident)
    for place in places:
        for said in versions:
            if fits(message := whole(place, said)):
                return message + number if fits(message + number) else message
    shortest = versions[-1]
    mark = "..." if segments.is_gsm(whole(places[-1], shortest)) else "…"
    cut = segments.shorten(shortest, lambda said: fits(whole(places[-1], said)), mark=mark)
    return whole(places[0], versions[0]) + number if cut is None else whole(places[-1], cut)


def again(text: str, *, language: Language) -> str:
    """Mark a message that may have been sent already, once."""
    mark = texts.of(language).again
    return text if text.startswith(mark) else mark + text


def _frame(telling: Telling, language: Language, now: datetime) -> Callable[[str, str], str]:
    said = texts.of(language)
    heading = said.headings[telling.kind].format(count=telling.count)
    if telling.late:
        heading = said.late.format(age=telling.late, heading=heading)
    facts = {"heading": heading, "title": segments.plain(telling.title), "time": clock(telling.at, now)}

    def whole(place: str, sentence: str) -> str:
        return said.alert.format(place=place, sentence=sentence, **facts)

    return whole


def clock(at: datetime, now: datetime) -> str:
    """Write a moment as briefly as it can be understood now: one that is a day away has its date with the year."""
    if at.date() == now.date():
        return f"{at:%H:%M}"
    return f"{at:%m-%d %H:%M}" if abs(now - at) < DAY else f"{at:%Y-%m-%d %H:%M}"


def _places(telling: Telling, between: str) -> Iterator[str]:
    site, device, stream = telling.site, telling.device, telling.stream
    for names in ((site, device, stream), (site, stream), (site, device)):
        yield between.join(name for name in names if name)
    yield site


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

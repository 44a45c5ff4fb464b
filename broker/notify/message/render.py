"""Writes the text message: what, where and when, in the recipient's language and in one part if at all possible."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from broker.config.section import Language
from broker.notify.message import segments, texts

DAY: Final = timedelta(days=1)

_hangul: Final = re.compile("[가-힣]")

NUMBER: Final = " #{number}"
"""The incident behind the message, for an answer."""

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
    """How many incidents a digest stands for."""
    ended: int = 0
    """How many of them are over."""
    is_over: bool = False
    """Whether the one that the digest describes is over, and not all are."""
    closed_by: str = ""
    """Who brought the incident to its end."""
    unseen_minutes: int | None = None
    """Minutes without a sighting after which it ended by itself."""
    unanswered: bool = False
    """Whether nobody had answered when it ended."""
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
    point in the sentence, the camera's name, the words around those that name the danger, words of the frame, and then
    the sentence. Danger, place and device, time, number and link stay; only where these alone are more than one message
    does the link go, and what cannot be one even so is sent whole in several.
    """
    versions = list(_versions(telling, language))
    places = [segments.plain(place) for place in _places(telling, texts.of(language).between_places)]
    frames = [_frame(telling, language, now), _brief_frame(telling, language, now)]
    for whole in frames:
        if (message := _fitting(whole, places, versions, telling, fits)) is not None:
            return message
    for whole in frames:
        if fits(whole(places[-1], "")):
            return whole(places[-1], "")
    if telling.link:
        return text(replace(telling, link=""), language=language, now=now, fits=fits)
    return frames[0](places[0], versions[0])


def _fitting(
    whole: Callable[[str, str], str], places: Sequence[str], versions: Sequence[str], telling: Telling, fits: Fits
) -> str | None:
    """Return the longest message in a frame that fits and has a sentence; None where there is none."""
    for place in places:
        for said in versions:
            if fits(message := whole(place, said)):
                return message
    shortest, least = versions[-1], places[-1]
    mark = "..." if segments.is_gsm(whole(least, shortest)) else "…"

    def has_room(said: str) -> bool:
        return fits(whole(least, said))

    if _hangul.search(shortest):
        cut = segments.shorten_korean(shortest, has_room, mark=mark)
    else:
        cut = segments.shorten(shortest, has_room, mark=mark, keep=segments.harmless(telling.fired))
    return None if cut is None else whole(least, cut)


def again(text: str, *, language: Language) -> str:
    """Mark a message that may have been sent already, once."""
    mark = texts.of(language).again
    return text if text.startswith(mark) else mark + text


def _frame(telling: Telling, language: Language, now: datetime) -> Callable[[str, str], str]:
    said = texts.of(language)
    title = telling.title if language == "ko" else telling.title[:1].lower() + telling.title[1:]
    return _framed(said, telling, now, _danger(said, telling, title), _ended(said, telling))


def _brief_frame(telling: Telling, language: Language, now: datetime) -> Callable[[str, str], str]:
    said = texts.of(language).brief
    ended = _ended(texts.of(language), telling)
    whole = _framed(said, telling, now, _danger(said, telling, telling.title), ended)
    between = texts.of(language).between_places
    return lambda place, sentence: whole(place.replace(between, " "), sentence)


def _ended(said: texts.Words, telling: Telling) -> str:
    """Say how many incidents of a digest are over; "" for none."""
    if not telling.ended:
        return ""
    return said.all_ended if telling.ended == telling.count else said.ended.format(count=telling.ended)


def _framed(
    said: texts.Words | texts.Brief, telling: Telling, now: datetime, title: str, ended: str
) -> Callable[[str, str], str]:
    """Return what puts a place and a sentence into the words around them."""
    heading = said.headings[telling.kind].format(count=telling.count, ended=ended)
    if telling.late:
        heading = said.late.format(age=telling.late, heading="" if telling.kind in said.plain else heading).strip()
    facts = {"heading": heading, "title": title, "time": clock(telling.at, now)}
    number = "" if telling.incident is None else NUMBER.format(number=telling.incident)
    link = f" {telling.link}" if telling.link else ""

    def whole(place: str, sentence: str) -> str:
        return said.alert.format(place=place, sentence=sentence, **facts).rstrip(": ") + number + link

    return whole


def _danger(said: texts.Words | texts.Brief, telling: Telling, title: str) -> str:
    """Name the danger; `title` is how it stands in a suspicion."""
    if telling.is_over and telling.ended != telling.count:
        return said.over.format(title=segments.plain(telling.title))
    if telling.suspected is None:
        return segments.plain(telling.title)
    return said.suspected.format(title=segments.plain(title), percent=round(telling.suspected * 100))


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
    if ends := [*_ends(telling, language)]:
        yield from ends
        return
    sentence, original = segments.harmless(telling.sentence), segments.harmless(telling.original)
    if sentence != original:
        yield f"{sentence} ({original})"
    yield sentence
    yield from (segments.harmless(briefer) for briefer in telling.briefer)


def _ends(telling: Telling, language: Language) -> Iterator[str]:
    """Return how an incident came to its end, the longest first; nothing of one that has not."""
    said = texts.of(language)
    unanswered = said.unanswered if telling.unanswered else ""
    if telling.closed_by:
        yield said.by.format(name=segments.plain(telling.closed_by))
    elif telling.unseen_minutes is not None:
        yield f"{said.unseen.format(minutes=telling.unseen_minutes)} {unanswered}".rstrip()
        if unanswered:
            yield unanswered

"""Makes HTML from templates: what is filled in is escaped, and what is not given is an error."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from broker.config.section import Language, in_language
from broker.config.sites import Places
from broker.notify.message import reason_texts
from broker.notify.message.texts import byte_size
from broker.store.search import Found
from broker.web import texts
from broker.web.rendering import belief
from broker.web.request.state import Console
from broker.web.texts import Texts

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("broker.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["bytes"] = byte_size
    made.filters["iso"] = lambda moment: moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return made


def render(template: str, console: Console, language: Language, values: dict[str, Any]) -> str:
    """Fill in a template in a language."""
    said = texts.of(language)
    tools = {
        "t": said,
        "language": language,
        "place": _place(console.places, language),
        "clock": _clock(console.places),
        "ago": _ago(console, said),
        "translated": _translated(console, language),
        "believed": lambda found, incident=None: _believed(found, incident, said),
        "because": lambda reasons: reason_texts.say(reasons, language),
        "detail": lambda happened: reason_texts.say(happened.detail, language),
        "title": lambda rule, danger: _title(console, rule, danger, language),
    }
    return _environment().get_template(template).render(tools | values)


def _place(places: Places, language: Language) -> Any:
    def place(*ids: str) -> str:
        """Name a site, a device of it and a stream of that, the widest first."""
        return " · ".join(places.name(*ids[: end + 1], language=language) for end in range(len(ids)))

    return place


def _clock(places: Places) -> Any:
    def clock(moment: datetime, site: str = "", *, date: bool = True) -> Markup:
        """Write a moment by the clock of a site."""
        local = places.local(moment, site)
        words = local.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S")
        zone = local.tzinfo.key if isinstance(local.tzinfo, ZoneInfo) else str(local.tzinfo)
        full = f"{local:%Y-%m-%d %H:%M:%S} {zone}"
        iso = moment.astimezone(UTC).isoformat(timespec="seconds")
        return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, full, words)

    return clock


def _ago(console: Console, said: Texts) -> Any:
    def ago(moment: datetime) -> Markup:
        """Write how long ago a moment is."""
        words = age(console.clock() - moment, said)
        iso = moment.astimezone(UTC).isoformat(timespec="seconds")
        return Markup('<time datetime="{}">{}</time>').format(iso, words)

    return ago


def age(span: timedelta, said: Texts) -> str:
    """Write a span as people say it: `3 min ago`."""
    seconds = max(0, round(span.total_seconds()))
    for limit, unit, key in ((2 * MINUTE, 1, "seconds"), (2 * HOUR, MINUTE, "minutes"), (2 * DAY, HOUR, "hours")):
        if seconds < limit:
            return said(f"ago.{key}", n=seconds // unit)
    return said("ago.days", n=seconds // DAY)


def _translated(console: Console, language: Language) -> Any:
    def translated(found: Found) -> Markup:
        """Write a caption in the viewer's language with the original beside it, or the original alone."""
        other = console.translate(found.text, found.language, language)
        if not other and found.translated and not found.language.startswith(language):
            other = found.translated
        original = Markup('<span lang="{}">{}</span>').format(found.language, found.text)
        if not other:
            return original
        return Markup('<span lang="{}">{}</span> <small class="original" lang="{}">{}</small>').format(
            language, other, found.language, found.text
        )

    return translated


def _believed(found: Found, incident: int | None, said: Texts) -> str:
    """Write what the model believes of a caption whose words do not say it; "" for any other."""
    believes = belief.of(found, incident)
    if believes is None:
        return ""
    danger = said.about("belief", believes.term)
    return said("caption.believed", danger=danger, n=round(believes.probability * 100))


def _title(console: Console, rule: str, danger: str, language: Language) -> str:
    """Return the words for a danger: the title of its rule where it has one."""
    return in_language(console.title(rule), language) or danger

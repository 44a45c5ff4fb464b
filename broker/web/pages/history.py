"""History: captions by their words in either language, place, time and rule."""

from datetime import date, datetime, time, timedelta

from litestar import Response, get
from litestar.params import FromQuery
from litestar.response import Stream

from broker.config.errors import Misconfigured
from broker.retention import export
from broker.store import search
from broker.store.engine import reading, writing
from broker.store.search import PAGE, Question
from broker.web import search_terms
from broker.web.accounts.account import Role
from broker.web.request.context import Page, ThisPage, needs
from broker.web.request.numbers import BeforeCaption

MAX_WORDS_CHARS = 200


@get("/history", sync_to_thread=True, guards=[needs(Role.GUARD)])
def show(  # noqa: PLR0913, PLR0917 - one for each field of the form
    page: ThisPage,
    q: FromQuery[str] = "",
    site: FromQuery[str] = "",
    device: FromQuery[str] = "",
    day: FromQuery[str] = "",
    rule: FromQuery[str] = "",
    danger: FromQuery[bool] = False,
    before: BeforeCaption = None,
) -> Response[str]:
    """Show the results; htmx requests them alone while someone types."""
    question = ask(page, q=q, site=site, device=device, day=day, rule=rule, danger=danger, before=before)
    with reading(page.console.engine) as connection:
        found = search.find(connection, question)
    older = found[-1].id if len(found) == PAGE else None
    asked = {"q": q, "site": site, "device": device, "day": day, "rule": rule, "danger": danger}
    return page.render(
        "_found.html" if page.is_fragment else "history.html",
        captions=found,
        older=older,
        before=before,
        asked=asked,
        sites=page.console.config.sites,
        rules=_rules(page),
    )


@get("/history.csv", sync_to_thread=True, guards=[needs(Role.SUPERVISOR)])
def download(  # noqa: PLR0913, PLR0917 - as above
    page: ThisPage,
    q: FromQuery[str] = "",
    site: FromQuery[str] = "",
    device: FromQuery[str] = "",
    day: FromQuery[str] = "",
    rule: FromQuery[str] = "",
    danger: FromQuery[bool] = False,
) -> Stream:
    """Return the results as a CSV file."""
    question = ask(page, q=q, site=site, device=device, day=day, rule=rule, danger=danger)
    with writing(page.console.engine) as connection:
        page.note(connection, "export", "history", page.request.scope["query_string"].decode("latin-1"))
    headers = {"Content-Disposition": 'attachment; filename="wordcam-history.csv"'}
    return Stream(export.found(page.console.engine, question), media_type="text/csv; charset=utf-8", headers=headers)


def ask(  # noqa: PLR0913 - as above
    page: Page,
    *,
    q: str,
    site: str,
    device: str,
    day: str,
    rule: str,
    danger: bool,
    before: int | None = None,
) -> Question:
    """Read the form; an invalid day is ignored."""
    since = start_of(page, day, site)
    return Question(
        terms=search_terms.asked(q[:MAX_WORDS_CHARS]),
        site=site[:63],
        device=device[:63],
        since=since,
        until=since + timedelta(days=1) if since else None,
        rule=rule[:63],
        danger_only=danger,
        before=before,
    )


def start_of(page: Page, day: str, site: str) -> datetime | None:
    """Return the first moment of a day by the clock of the site."""
    try:
        wished = date.fromisoformat(day)
    except ValueError:
        return None
    zone = page.console.places.local(page.now, site).tzinfo
    return datetime.combine(wished, time(), tzinfo=zone) if 1970 <= wished.year < 9999 else None


def _rules(page: Page) -> list[str]:
    try:
        return [rule.name for rule in page.console.rulebook().rules]
    except Misconfigured:
        return []

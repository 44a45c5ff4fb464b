"""Visits: who came, stayed and left, one line each."""

from datetime import timedelta

from litestar import Response, get
from litestar.params import FromQuery

from broker.store import visits
from broker.store.engine import reading
from broker.web.accounts.account import Role
from broker.web.pages import history
from broker.web.request.context import ThisPage, needs
from broker.web.request.numbers import BeforeCaption


@get("/visits", sync_to_thread=True, guards=[needs(Role.GUARD)])
def show(
    page: ThisPage, site: FromQuery[str] = "", day: FromQuery[str] = "", before: BeforeCaption = None
) -> Response[str]:
    """Show the newest visits, or those of a day."""
    since = history.start_of(page, day, site)
    with reading(page.console.engine) as connection:
        found = visits.find(
            connection,
            site=site[:63],
            since=since,
            until=since + timedelta(days=1) if since else None,
            before=before,
        )
    return page.render(
        "visits.html",
        stories=found.stories,
        older=found.older,
        before=before,
        asked={"site": site, "day": day},
        sites=page.console.config.sites,
    )

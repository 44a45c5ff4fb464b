"""The page of visits."""

from datetime import UTC, datetime, timedelta

from broker.config.broker import Config
from contract.caption import InZone, Phase, Visit
from tests.broker.web import sample
from tests.broker.web.serving import Browser


def test_a_visit_is_a_line_that_opens_to_what_was_said_of_it(guard: Browser, config: Config) -> None:
    now = datetime.now(UTC)
    first, last = now - timedelta(minutes=5), now - timedelta(minutes=1)
    zone = InZone("north-door", 130, entered=True)
    sample.say(
        config,
        sample.caption("a man is walking", 9001, first, people=1, visits=(Visit("9f3c61d2", Phase.ARRIVES, 2),)),
        sample.caption(
            "a man stays at the north door",
            9002,
            last,
            people=2,
            visits=(Visit("9f3c61d2", Phase.STAYS, 240, (zone,)),),
        ),
    )

    page = guard.http.get("/visits").text

    assert page.count("<details>") == 1
    assert "4 min, not seen leaving" in " ".join(page.split())
    assert "north-door 2 min" in page
    assert page.index("<b>Arrives</b>") < page.index("<b>Stays</b> ") < page.index("a man stays at the north door")
    assert "2 in view" in page


def test_without_visits_the_page_says_why(guard: Browser) -> None:
    page = guard.http.get("/visits", params={"site": "nowhere", "day": "2020-01-01"}).text

    assert "Devices from version 0.2 on follow people." in page

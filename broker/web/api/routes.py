"""The requests of API version 1."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from litestar import delete, get, post
from litestar.exceptions import ClientException, NotFoundException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, PathParameter, QueryParameter, RequestBody

from broker.incidents import raised_thresholds, responses
from broker.incidents import silence as silences_
from broker.incidents import store as incidents_store
from broker.incidents.incident import State
from broker.incidents.presence import devices as devices_store
from broker.incidents.responses import Effect
from broker.notify.message import reason_texts
from broker.retention import erasure
from broker.retention.erasure import Asker
from broker.store import search
from broker.store.engine import reading, writing
from broker.store.search import Question
from broker.store.selection import Scope
from broker.web import search_terms
from broker.web.accounts.account import Role
from broker.web.api.schemas import (
    Answered,
    Caption,
    Captions,
    Device,
    Forgotten,
    Happening,
    Incident,
    Incidents,
    Problem,
    RaisedThreshold,
    Silence,
    WholeIncident,
)
from broker.web.pages.devices import patience
from broker.web.pages.silences import LONGEST_HOURS, make
from broker.web.request.context import ThisPage, needs
from broker.web.request.numbers import LARGEST, Before, BeforeCaption

Number = Annotated[int, PathParameter(ge=1, le=LARGEST)]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
Word = Annotated[str, QueryParameter(max_length=200, description="Words that all have to be there, English or Korean.")]
Name = Annotated[str, QueryParameter(max_length=63)]
Moment = Annotated[datetime | None, QueryParameter(description="RFC 3339, with a time zone.")]

PROBLEMS: Final = {
    400: ResponseSpec(Problem, description="The request does not keep the schema; `problem` says where."),
    401: ResponseSpec(Problem, description="No token, or one that has expired or was taken back."),
    403: ResponseSpec(Problem, description="The account of this token may not do this."),
    404: ResponseSpec(Problem, description="There is none of this number."),
    413: ResponseSpec(Problem, description="The body is too large."),
    503: ResponseSpec(Problem, description="The database is busy; try again."),
}


class Answer(StrEnum):
    """What may be answered to an incident."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    FALSE_ALARM = "false-alarm"


ACTS: Final[dict[Answer, Callable[..., responses.Answered]]] = {
    Answer.ACKNOWLEDGE: responses.acknowledge,
    Answer.RESOLVE: responses.resolve,
    Answer.FALSE_ALARM: responses.false_alarm,
}


class NewSilence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A silence that someone asks for."""

    matchers: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
    """What it is about: `site=north-gate danger=smoke,fire`."""
    hours: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_HOURS)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


GUARD: Final[dict[str, Any]] = {"guards": [needs(Role.GUARD)], "responses": PROBLEMS, "sync_to_thread": True}
SUPERVISOR: Final[dict[str, Any]] = GUARD | {"guards": [needs(Role.SUPERVISOR)]}
ADMINISTRATOR: Final[dict[str, Any]] = GUARD | {"guards": [needs(Role.ADMINISTRATOR)]}


@get("/captions", summary="Captions, newest first", **GUARD)
def captions(  # noqa: PLR0913, PLR0917 - one for each parameter of the request
    page: ThisPage,
    q: Word = "",
    site: Name = "",
    device: Name = "",
    rule: Name = "",
    since: Moment = None,
    until: Moment = None,
    before: BeforeCaption = None,
    limit: Limit = 50,
) -> Captions:
    """Find captions by words, place, time, and the rule that fired on them."""
    _check(since=since, until=until)
    question = Question(
        search_terms.asked(q), site=site, device=device, rule=rule, since=since, until=until, before=before
    )
    with reading(page.console.engine) as connection:
        found = search.find(connection, question, limit=limit)
    return Captions([Caption.of(one) for one in found], found[-1].id if len(found) == limit else None)


@delete("/captions", summary="Delete captions", status_code=200, **ADMINISTRATOR)
def forget(  # noqa: PLR0913, PLR0917 - as above
    page: ThisPage,
    site: Name = "",
    device: Name = "",
    since: Moment = None,
    until: Moment = None,
    sure: Annotated[bool, QueryParameter(description="Without it, it is only counted.")] = False,
) -> Forgotten:
    """Delete the sentences of a place and time, and take them out of messages and timelines."""
    _check(since=since, until=until)
    try:
        wish = Scope(site, device, since, until)
    except ValueError as error:
        raise ClientException(str(error)) from error
    if wish.is_everything:
        raise ClientException("name `site`, `since` or `until`: everything at once is deleted on the terminal alone")
    if not sure:
        return Forgotten.of(erasure.count(page.console.engine, wish), deleted=False)
    asker = Asker(page.who.account.name, page.who.address)
    return Forgotten.of(erasure.forget(page.console.engine, wish, asker, now=page.now), deleted=True)


@get("/incidents", summary="Incidents, newest first", **GUARD)
def incidents(
    page: ThisPage,
    only: Annotated[State | None, QueryParameter(name="state")] = None,
    site: Name = "",
    before: Before = None,
    limit: Limit = 50,
) -> Incidents:
    """List incidents, of one state and site where these are given."""
    with reading(page.console.engine) as connection:
        found = incidents_store.newest(
            connection, states=[only] if only else [], sites=[site] if site else [], before=before, limit=limit
        )
    return Incidents([Incident.of(one) for one in found], found[-1].id if len(found) == limit else None)


@get("/incidents/{number:int}", summary="One incident with its timeline", **GUARD)
def incident(page: ThisPage, number: Number) -> WholeIncident:
    """Return one incident, and what happened to it, each entry with its reason."""
    with reading(page.console.engine) as connection:
        found = incidents_store.get(connection, number)
        timeline = incidents_store.timeline(connection, number)
    if found is None:
        raise NotFoundException("no incident has this number")
    happened = [
        Happening(one.at, one.kind.value, reason_texts.say(one.detail, "en"), one.by, one.caption_id)
        for one in timeline
    ]
    return WholeIncident(Incident.of(found), happened)


@post("/incidents/{number:int}/{answer:str}", summary="Answer an incident", status_code=200, **GUARD)
def answer(page: ThisPage, number: Number, answer: FromPath[Answer]) -> Answered:
    """Acknowledge or close an incident in the name of the token's account."""
    act = ACTS[answer]
    with writing(page.console.engine) as connection:
        made = act(connection, number, by=page.who.account.name, how="console", at=page.now)
        if made.effect is Effect.DONE:
            page.note(connection, answer.value, f"incident {number}", "by the API")
    if made.incident is None:
        raise NotFoundException("no incident has this number")
    return Answered(made.effect.value, Incident.of(made.incident))


@get("/silences", summary="Silences, newest first", **GUARD)
def silences(page: ThisPage) -> list[Silence]:
    """List the last hundred silences, ended ones included."""
    with reading(page.console.engine) as connection:
        return [Silence.of(one) for one in silences_.newest(connection)]


@post("/silences", summary="Silence something", **SUPERVISOR)
def silence(page: ThisPage, data: RequestBody[NewSilence]) -> Silence:
    """Suppress notifications of something for a while."""
    now, name = page.now, page.who.account.name
    try:
        wished = make(data.matchers, hours=data.hours, reason=data.reason, author=name, now=now)
    except ValueError as error:
        raise ClientException(str(error)) from error
    with writing(page.console.engine) as connection:
        made = silences_.add(connection, wished, at=now)
        page.note(connection, "silence", f"silence {made.id}", f"{made.as_text}, {data.hours:g} h: {made.reason}")
    return Silence.of(made)


@delete("/silences/{number:int}", summary="End a silence early", **SUPERVISOR)
def end_silence(page: ThisPage, number: Number) -> None:
    """End a silence early."""
    with writing(page.console.engine) as connection:
        if not silences_.end(connection, number, by=page.who.account.name, at=page.now):
            raise NotFoundException("no silence of this number is in force")
        page.note(connection, "silence-ended", f"silence {number}", "by the API")


@get("/thresholds", summary="Thresholds that false alarms have raised, newest first", **GUARD)
def thresholds(page: ThisPage) -> list[RaisedThreshold]:
    """List the last hundred, those that are over included."""
    with reading(page.console.engine) as connection:
        return [RaisedThreshold.of(one) for one in raised_thresholds.newest(connection)]


@delete("/thresholds/{number:int}", summary="Take a raised threshold back", **SUPERVISOR)
def take_back_threshold(page: ThisPage, number: Number) -> None:
    """Let the danger count at this camera as before."""
    with writing(page.console.engine) as connection:
        if not raised_thresholds.take_back(connection, number, by=page.who.account.name, at=page.now):
            raise NotFoundException("no raised threshold of this number is in force")
        page.note(connection, "threshold-reset", f"threshold {number}", "by the API")


@get("/devices", summary="Devices", **GUARD)
def devices(page: ThisPage) -> list[Device]:
    """Return every device with its health, version, model and last caption."""
    with reading(page.console.engine) as connection:
        found = devices_store.everyone(connection)
        last = search.last_words(connection)
    silent = patience(page.console)
    return [
        Device.of(one, devices_store.health(one, page.now, silent), last.get((one.site, one.device))) for one in found
    ]


def _check(**moments: datetime | None) -> None:
    for name, moment in moments.items():
        if moment is not None and not _is_usable(moment):
            raise ClientException(f"`{name}` needs a time zone, and a year from 1 to 9998: 2026-03-14T03:00:00Z")


def _is_usable(moment: datetime) -> bool:
    return moment.tzinfo is not None and 1 < moment.year < 9999


HANDLERS: Final = [
    captions,
    forget,
    incidents,
    incident,
    answer,
    silences,
    silence,
    end_silence,
    thresholds,
    take_back_threshold,
    devices,
]

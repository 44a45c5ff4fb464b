"""What Twilio calls: reports of what became of a message, and answers by text message, each signed."""

from collections.abc import Callable, Sequence
from typing import Any

from anyio.to_thread import run_sync
from litestar import Request, Response, post
from litestar.di import NamedDependency

from broker.web.request.csrf import form_of
from broker.web.webhooks.twilio import Outcome, TwilioHooks


@post("/twilio/status", status_code=200)
async def status(
    request: Request[Any, Any, Any], hooks: NamedDependency[TwilioHooks], hooks_url: NamedDependency[str]
) -> Response[str]:
    """Take a report."""
    return await _take(request, hooks.status, hooks_url)


@post("/twilio/inbound", status_code=200)
async def inbound(
    request: Request[Any, Any, Any], hooks: NamedDependency[TwilioHooks], hooks_url: NamedDependency[str]
) -> Response[str]:
    """Take an answer."""
    return await _take(request, hooks.inbound, hooks_url)


async def _take(
    request: Request[Any, Any, Any], act: Callable[[dict[str, str], str, Sequence[str]], Outcome], base_url: str
) -> Response[str]:
    form = await form_of(request)
    fields = {str(key): str(value) for key, value in form.items()}
    signature = request.headers.get("x-twilio-signature", "")
    # Twilio signs the address as it called it, which behind a proxy is not the one that arrives here.
    path = request.scope["path"] + (f"?{request.url.query}" if request.url.query else "")
    outcome = await run_sync(act, fields, signature, [(base_url or str(request.base_url).rstrip("/")) + path])
    return Response(outcome.body, status_code=outcome.status, media_type=outcome.media_type)

"""Runs the console as a process of its own, beside the alert service and on the same database."""

import logging
import socket
from collections.abc import Callable

import uvicorn

from broker.config.broker import Config
from broker.config.errors import Misconfigured
from broker.config.sites import Places
from broker.config.web import Web
from broker.notify.links import Signer
from broker.notify.translation.none import NoTranslation
from broker.notify.translation.offline import OfflineTranslator
from broker.store import migrate
from broker.store.engine import open_database, reading
from broker.web import app
from broker.web.accounts import users
from broker.web.http_protocol import TimedProtocol
from broker.web.request.state import Console
from broker.web.webhooks.twilio import TwilioHooks
from foundation import secret
from foundation.errors import from_os_error

log = logging.getLogger(__name__)

BACKLOG = 128

GRACE_SECONDS = 3
"""For open requests at shutdown; live pages never end by themselves."""


def run(
    config: Config,
    *,
    on_ready: Callable[[Callable[[], None], str], None],
    protocol: type[TimedProtocol] = TimedProtocol,
) -> None:
    """Serve until stopped; `on_ready` gets the function that stops it, and the address.

    Raises `Misconfigured` or `Unavailable`.
    """
    for warning in config.web.warnings:
        log.warning(warning)
    listener = _listen(config.web)
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        with reading(engine) as connection:
            if users.count_administrators(connection) == 0:
                log.warning("no administrator yet; create one with `wordcam-broker user add NAME`")
        translator = NoTranslation() if config.translation.by == "none" else OfflineTranslator()
        signer = Signer.of(config.links) if config.links else None
        console = Console(engine, config, Places.of(config), translator, signer)
        hooks = _hooks(config, console)
        server = uvicorn.Server(_settings(config.web, app.build(console, hooks), protocol))

        def stop() -> None:
            server.should_exit = True

        on_ready(stop, address(config.web, listener))
        server.run(sockets=[listener])
    finally:
        listener.close()
        engine.dispose()


def address(web: Web, listener: socket.socket) -> str:
    """Return the address that people open."""
    scheme = "https" if web.cert_file else "http"
    host = f"[{web.host}]" if ":" in web.host else web.host
    return web.public_url or f"{scheme}://{host}:{listener.getsockname()[1]}"


def _settings(web: Web, application: object, protocol: type[TimedProtocol]) -> uvicorn.Config:
    return uvicorn.Config(
        application,  # type: ignore[arg-type]  # Litestar's ASGI types and uvicorn's are the same under other names
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(web.trusted_proxies),
        forwarded_allow_ips=list(web.trusted_proxies),
        ssl_certfile=web.cert_file,
        ssl_keyfile=str(web.key_file) if web.key_file else None,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _listen(web: Web) -> socket.socket:
    """Take the port before anything else: two consoles on one port is the commonest mistake."""
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    # Named as TCP: asyncio turns Nagle's algorithm off for such sockets alone, and with it each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((web.host, web.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        place = f"web.port: {web.host}:{web.port}"
        raise from_os_error(error, place, remedy="name another `host` or `port`") from error
    return listener


def _hooks(config: Config, console: Console) -> TwilioHooks | None:
    if config.twilio is None:
        return None
    from broker.config.channels import TWILIO_AUTH_TOKEN  # noqa: PLC0415 - only where there is an account

    token = secret.read(config.twilio.auth_token_file, TWILIO_AUTH_TOKEN, field="twilio.auth_token_file")
    if not token:
        raise Misconfigured(f"twilio.auth_token_file: no token; name a file that holds it, or set {TWILIO_AUTH_TOKEN}")
    return TwilioHooks(
        token,
        console.engine,
        config.recipients,
        config.incidents.escalation,
        callback_url=config.twilio.callback_url,
        answer_url=config.twilio.answer_url,
    )

"""The pages by which a supervisor asks whether the console lives, and whether it can do its work."""

from typing import Any

from litestar import Response, get

from broker.config.errors import Misconfigured
from broker.monitor import health
from broker.monitor.health import Check, Health
from broker.store import migrate
from broker.store.engine import reading
from broker.web.request.state import Console


def of(console: Console) -> list[Any]:
    """Return them. They say nothing that a stranger may not know: the console may be open to the world."""

    asked = Health([lambda: health.database(console.engine), lambda: [_rules(console)]])

    @get("/health", sync_to_thread=True, media_type="text/plain")
    def old() -> str:
        with reading(console.engine) as connection:
            connection.exec_driver_sql("SELECT 1")
        return f"ok: the database is {migrate.age(console.engine).value}\n"

    @get("/healthz", sync_to_thread=False)
    def alive() -> dict[str, Any]:
        return {"alive": True}

    @get("/readyz", sync_to_thread=True)
    def ready() -> Response[dict[str, Any]]:
        checks = asked.ready()
        fine = all(check.ok for check in checks)
        return Response(health.as_json("ready", checks), status_code=200 if fine else 503)

    return [old, alive, ready]


def _rules(console: Console) -> Check:
    try:
        console.rulebook()
    except Misconfigured:
        return Check("rules", ok=False, because="the file cannot be read")
    return Check("rules", ok=True, because="can be read")

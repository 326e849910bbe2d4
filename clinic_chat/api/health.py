"""Health checks: liveness at `/healthz`, readiness at `/readyz`."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from clinic_chat.api.context import context_of
from clinic_chat.api.routes import GuardedRoute
from clinic_chat.storage.database import Database

CHECK_SECONDS = 2.0

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def live() -> Response:
    """200 while the process answers at all; a failure means: restart it."""
    return JSONResponse({"status": "ok"})


@router.api_route("/readyz", methods=["GET", "HEAD"])
async def ready(request: Request) -> Response:
    """200 when the database answers, else 503; a failure means: send no traffic here.

    Without its Redis a process works by itself, only slower: `degraded`, and 200.
    """
    services = context_of(request).services
    checks = {"database": await _database(services.database)}
    if services.channel.is_shared:
        checks["redis"] = "ok" if services.channel.connected else "unavailable"
    if services.cache.shared is not None:
        checks["cache"] = "ok" if services.cache.shared.available else "unavailable"
    if checks["database"] != "ok":
        return JSONResponse({"status": "unavailable", "checks": checks}, 503)
    status = "ok" if all(state == "ok" for state in checks.values()) else "degraded"
    return JSONResponse({"status": status, "checks": checks})


async def _database(database: Database) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await database.ping()
    except TimeoutError:
        return "timeout"
    except Exception:
        # The answer is the same for every exception of the driver and reveals no internals.
        return "unavailable"
    return "ok"

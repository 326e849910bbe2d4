"""HTTP requests are counted by routes, in which nothing of an address stands."""

from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from clinic_chat.api.request_metrics import RequestMetrics, route_of
from tests.fuzz import values
from tests.support.metrics import Scrape

REQUESTS = "clinic_chat_http_requests_total"
SECONDS = "clinic_chat_http_request_duration_seconds_count"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/login", "/login"),
        ("/c/0b6c1f2e-7a83-4b1e-9f43-2f6a5d0c9b11", "/c/*"),
        ("/assets/index-abc.js", "/assets/*"),
        ("/_event/", "/_event"),
        ("/_event", "/_event"),
        ("/healthz", "/healthz"),
        ("/metrics", "/metrics"),
        ("/auth/login", "/auth/login"),
        ("/api/v1/inbound", "/api/v1/inbound"),
        ("/api/v1/messages/maria/status", "/api/v1/messages/{message_id}/status"),
        ("/api/v1/messages/maria", "/api/v1/messages/{message_id}"),
        ("/api/v1/patients/maria/merge", "/api/v1/patients/{patient_id}/merge"),
        ("/api/v1/messages/maria/x", "other"),
        ("/maria", "other"),
        ("", "other"),
        ("/LOGIN", "other"),
    ],
)
def test_a_path_is_one_of_few_routes(path: str, route: str) -> None:
    assert route_of(path) == route


def test_every_route_of_the_api_has_its_own_name() -> None:
    served = {path for _, path in values.routes() if path.startswith(("/api/v1/", "/auth/"))}

    named = {path: route_of(path.replace("{message_id}", "1")) for path in served}
    assert {path: name for path, name in named.items() if "{rest" not in path} == {
        path: path for path in served if "{rest" not in path
    }


async def counted(app: Any, path: str, **labels: str) -> tuple[float, float]:
    """How much more is counted, and how much more is timed, after a request."""
    before = await Scrape.here()
    transport = httpx.ASGITransport(RequestMetrics(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://inbox.example") as web:
        await web.get(path)
    after = await Scrape.here()
    route = labels["route"]
    return (
        after.value(REQUESTS, **labels) - before.value(REQUESTS, **labels),
        after.value(SECONDS, route=route) - before.value(SECONDS, route=route),
    )


@pytest.mark.parametrize("status", [200, 303, 404, 503])
async def test_an_answer_is_counted_by_the_class_of_its_status(status: int) -> None:
    app = PlainTextResponse("x", status)

    assert await counted(app, "/login", route="/login", status=f"{status // 100}xx") == (1, 1)


async def test_a_request_without_an_answer_is_counted_as_such() -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        raise OSError("the client is gone")

    assert await counted(silent, "/c/1", route="/c/*", status="none") == (1, 1)


async def test_what_is_no_http_request_is_not_counted() -> None:
    begun = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(scope["type"])

    async def nothing(*_: Message) -> Any:
        return {}

    before = await Scrape.here()
    await RequestMetrics(app)({"type": "lifespan"}, nothing, nothing)
    assert begun == ["lifespan"]
    assert (await Scrape.here()).value(REQUESTS) == before.value(REQUESTS)

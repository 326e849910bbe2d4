"""A proxy that serves the product below a path is told that this does not work."""

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from clinic_chat.server.pages.root_only import RootOnly


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"page"})


async def get(app: RootOnly, path: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://inbox.example") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize(
    ("path", "taken_away"),
    [
        ("/", "/chat"),
        ("/login", "/clinics/chat/"),
        ("/chat/healthz", ""),
        ("/chat/readyz", ""),
        ("/chat/_event/", ""),
        ("/clinics/chat/api/v1/inbound", ""),
    ],
)
async def test_what_comes_below_a_path_is_refused_and_logged_once(
    path: str, taken_away: str
) -> None:
    app = RootOnly(page)
    headers = {"X-Forwarded-Prefix": taken_away} if taken_away else {}
    with capture_logs() as said:
        answers = [await get(app, path, **headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [404, 404]
    error = answers[0].json()["error"]
    assert error["code"] == "path_prefix"
    assert "give it a host name" in error["message"]
    assert [(line["event"], line["reason"]) for line in said] == [
        ("proxy.path_prefix", error["message"])
    ]


@pytest.mark.parametrize(
    "path", ["/", "/login", "/c/1", "/healthz", "/_event/", "/api/v1/inbound", "/admin/login"]
)
@pytest.mark.parametrize("prefix", [None, "", "/"])
async def test_what_comes_at_the_root_passes(path: str, prefix: str | None) -> None:
    headers = {} if prefix is None else {"X-Forwarded-Prefix": prefix}

    assert (await get(RootOnly(page), path, **headers)).text == "page"

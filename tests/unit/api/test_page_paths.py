"""Which page answers which address, and that nothing answers where nothing is."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from clinic_chat.server.pages.page_loads import PageLoads
from clinic_chat.server.pages.page_paths import PagePaths
from clinic_chat.server.pages.security_headers import SecurityHeaders
from clinic_chat.settings import Settings

PAGES = {
    "index.html": "inbox",
    "login/index.html": "sign in",
    "settings/staff/index.html": "staff",
    "404.html": "nothing here",
    "assets/app-1.js": "go()",
    "styles/base.css": "a {}",
    "favicon.svg": "<svg/>",
}


async def backend(request: Request) -> Response:
    return JSONResponse({"path": request.url.path})


class Fallback(StaticFiles):
    """Like the page server: what it does not find it answers with a page and 200."""

    async def get_response(self, path: str, scope: object) -> Response:
        answer = await super().get_response(path, scope)  # type: ignore[arg-type]
        if answer.status_code == 404:
            answer.status_code = 200
        return answer


@pytest.fixture
def app(tmp_path: Path) -> SecurityHeaders:
    for name, text in PAGES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    routes = [
        Route("/api/v1/openapi.json", backend),
        Route("/healthz", backend),
        Mount("", Fallback(directory=tmp_path, html=True)),
    ]
    pages = PagePaths(Starlette(routes=routes), tmp_path, ["/api", "/healthz"])
    return SecurityHeaders(pages, tmp_path)


async def get(app: SecurityHeaders, path: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://inbox.example") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "inbox"),
        ("/?m=3", "inbox"),
        ("/c", "inbox"),
        ("/c/0197", "inbox"),
        ("/c/0197/", "inbox"),
        ("/login", "sign in"),
        ("/login/", "sign in"),
        ("/login?next=/c/1", "sign in"),
        ("/settings/staff", "staff"),
        ("/assets/app-1.js", "go()"),
        ("/styles/base.css", "a {}"),
        ("/favicon.svg", "<svg/>"),
    ],
)
async def test_a_page_or_file_is_answered_where_it_is(
    app: SecurityHeaders, path: str, text: str
) -> None:
    answer = await get(app, path)

    assert (answer.status_code, answer.text) == (200, text)


@pytest.mark.parametrize(
    "path", ["/nothing", "/c/1/2", "/cc", "/logins", "/settings", "/apis", "/%2e%2e/x"]
)
async def test_where_no_page_is_the_page_says_so_and_the_status_too(
    app: SecurityHeaders, path: str
) -> None:
    etag = (await get(app, path)).headers["etag"]
    answer = await get(app, path, **{"If-None-Match": etag, "Range": "bytes=0-1"})

    assert (answer.status_code, answer.text) == (404, "nothing here")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["/assets/gone-2.js", "/favicon.ico", "/robots.txt", "/manifest.json", "/login/x.css", "/.env"],
)
async def test_where_no_file_is_nothing_is_kept_for_later(app: SecurityHeaders, path: str) -> None:
    answer = await get(app, path)

    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-cache"
    assert "immutable" not in answer.headers["cache-control"]
    if path != "/.env":
        assert answer.json()["error"]["code"] == "not_found"


async def test_only_what_exists_is_kept_for_ever(app: SecurityHeaders) -> None:
    answer = await get(app, "/assets/app-1.js")

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/healthz"])
async def test_the_back_end_answers_its_own_paths(app: SecurityHeaders, path: str) -> None:
    assert (await get(app, path)).json() == {"path": path}


async def test_a_page_load_is_noted_and_nothing_else(app: SecurityHeaders) -> None:
    noted: list[str] = []

    async def note(cookie: str) -> None:
        noted.append(cookie)

    loads = SecurityHeaders(PageLoads(app, Settings(secret_key="k" * 32), note))
    cookie = {"Cookie": "clinic_chat_session=abc"}
    await get(loads, "/", **cookie, **{"Sec-Fetch-Mode": "navigate"})
    assert noted == ["abc"]
    await get(loads, "/", **cookie, **{"Sec-Fetch-Mode": "navigate", "Sec-Purpose": "prefetch"})
    await get(loads, "/assets/app-1.js", **cookie, **{"Sec-Fetch-Mode": "no-cors"})
    await get(loads, "/healthz", **cookie)
    await get(loads, "/", **{"Sec-Fetch-Mode": "navigate"})
    assert noted == ["abc"]
    await get(loads, "/", **cookie, Accept="text/html,*/*;q=0.8")

    assert noted == ["abc", "abc"]

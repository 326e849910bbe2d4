"""Security and caching headers, and the hashes that let the built pages' own scripts run."""

import base64
import hashlib
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from clinic_chat.server.pages.csp import content_security_policy, inline_script_hashes
from clinic_chat.server.pages.security_headers import SecurityHeaders


async def anything(request: Request) -> Response:
    path = request.url.path
    if path.startswith("/missing"):
        return PlainTextResponse("none", 404)
    if path.startswith("/assets/missing"):
        return PlainTextResponse("none", 404)
    if path.endswith((".js", ".css")) or path.startswith(("/api/", "/auth/")):
        return PlainTextResponse("text")
    if path == "/unchanged":
        return Response(status_code=304)
    if path == "/own":
        return PlainTextResponse("text", headers={"Cache-Control": "max-age=5"})
    if path == "/stream":
        return StreamingResponse(iter(["one ", "two ", "three"]), media_type="text/html")
    return HTMLResponse("<p>page</p>")


async def get(
    path: str, *, base: str = "http://inbox.example", folder: Path | None = None
) -> httpx.Response:
    app = SecurityHeaders(Starlette(routes=[Route("/{rest:path}", anything)]), folder)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as client:
        return await client.get(path)


def directives(response: httpx.Response) -> dict[str, set[str]]:
    policy = response.headers["content-security-policy"]
    return {name: set(sources) for name, *sources in (part.split() for part in policy.split(";"))}


@pytest.mark.parametrize("path", ["/", "/api/v1/inbound", "/assets/a.js", "/missing"])
async def test_every_response_has_the_security_headers(path: str) -> None:
    headers = (await get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "microphone=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers


async def test_a_script_has_a_policy_for_workers_that_costs_a_page_nothing() -> None:
    async def script(_: Request) -> Response:
        return Response("self.close()", media_type="text/javascript")

    app = SecurityHeaders(Starlette(routes=[Route("/assets/a.js", script)]))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://inbox.example") as client:
        response = await client.get("/assets/a.js")

    assert response.headers["content-security-policy"] == "default-src 'self'"


async def test_only_https_promises_https() -> None:
    response = await get("/", base="https://inbox.example")

    assert response.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/assets/app-B3x.js", "public, max-age=31536000, immutable"),
        ("/assets/missing.js", "no-cache"),
        ("/styles.css", "no-cache"),
        ("/", "no-cache"),
        ("/c/1", "no-cache"),
        ("/api/v1/inbound", "no-store"),
        ("/auth/login", "no-store"),
        ("/_event/", "no-store"),
        ("/own", "max-age=5"),
    ],
)
async def test_each_kind_of_response_is_cached_as_long_as_it_is_true(path: str, cache: str) -> None:
    assert (await get(path)).headers["cache-control"] == cache


async def test_a_page_may_run_only_its_own_scripts(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<script>go()</script>")
    policy = directives(await get("/", folder=tmp_path))

    assert policy == {
        "default-src": {"'self'"},
        "script-src": {"'self'", *inline_script_hashes(tmp_path)},
        "style-src": {"'self'", "'unsafe-inline'"},
        "img-src": {"'self'", "data:"},
        "connect-src": {"'self'", "ws://inbox.example", "wss://inbox.example"},
        "font-src": {"'self'"},
        "object-src": {"'none'"},
        "base-uri": {"'none'"},
        "form-action": {"'self'"},
        "frame-ancestors": {"'none'"},
    }


async def test_pages_built_after_the_start_count(tmp_path: Path) -> None:
    app = SecurityHeaders(Starlette(routes=[Route("/", anything)]), tmp_path / "client")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://inbox.example") as client:
        before = directives(await client.get("/"))
        (tmp_path / "client").mkdir()
        (tmp_path / "client" / "index.html").write_text("<script>go()</script>")
        after = directives(await client.get("/"))

    assert before["script-src"] == {"'self'"}
    assert len(after["script-src"]) == 2


@pytest.mark.parametrize("path", ["/api/v1/inbound", "/auth/login", "/styles.css", "/missing"])
async def test_what_is_not_a_page_may_do_nothing(path: str) -> None:
    assert directives(await get(path)) == {
        "default-src": {"'none'"},
        "base-uri": {"'none'"},
        "form-action": {"'none'"},
        "frame-ancestors": {"'none'"},
    }


async def test_a_page_that_did_not_change_keeps_its_policy() -> None:
    assert "content-security-policy" not in (await get("/unchanged")).headers


async def test_a_proxy_that_is_not_named_is_reported_once() -> None:
    app = SecurityHeaders(Starlette(routes=[Route("/{rest:path}", anything)]))
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://inbox.example") as client:
        with capture_logs() as before:
            await client.get("/")
            await client.get("/", headers={"X-Forwarded-Proto": "http"})
        with capture_logs() as after:
            for _ in range(3):
                await client.get("/", headers={"X-Forwarded-Proto": "https"})

    assert before == []
    assert [(line["event"], line["peer"], line["setting"]) for line in after] == [
        ("proxy.not_trusted", "203.0.113.7", "CLINIC_CHAT_TRUSTED_PROXIES")
    ]


async def test_a_stream_is_passed_on_as_it_comes() -> None:
    response = await get("/stream")

    assert response.text == "one two three"
    assert "content-security-policy" in response.headers


async def test_what_is_not_http_is_left_alone() -> None:
    seen: list[tuple[Scope, Receive, Send]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(_message: Message) -> None:
        return

    scope: Scope = {"type": "websocket", "path": "/_event"}
    await SecurityHeaders(app)(scope, receive, send)

    assert seen == [(scope, receive, send)]


@pytest.mark.parametrize(
    "host",
    ["inbox.example", "inbox.example:3000", "LOCALHOST", "192.0.2.7:80", "[2001:db8::1]:3000"],
)
def test_a_sane_host_is_named_for_websockets(host: str) -> None:
    assert f"connect-src 'self' ws://{host} wss://{host};" in content_security_policy(host, [])


@given(st.text(alphabet=st.sampled_from("ab.:;'*/ \n-[]@1"), max_size=12))
@settings(max_examples=200)
def test_no_host_header_can_widen_the_policy(host: str) -> None:
    policy = content_security_policy(host, [])
    without_host = policy.replace(f" ws://{host} wss://{host}", "")

    assert without_host == content_security_policy("", [])
    assert policy == without_host or not set(host) & set(" ;'*/\n@")


def test_inline_scripts_are_hashed_exactly_as_the_browser_does(tmp_path: Path) -> None:
    scripts = [
        "window.a = 1 && '<b>' < 2;",
        "\n  import('/assets/x.js');\n",
        'const s = "&amp; çã 🌸";',
        "",
    ]
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "page.html").write_text(
        "<!doctype html><title>x</title>"
        + "".join(f"<script>{script}</script>" for script in scripts[:2])
        + f'<SCRIPT type="module" async="">{scripts[2]}</SCRIPT>'
        + '<script src="/assets/a.js"></script><!-- <script>no()</script> -->',
        encoding="utf-8",
    )
    (tmp_path / "index.html").write_bytes(b"<script>a()\r\nb()</script>")
    (tmp_path / "notes.txt").write_text("<script>no()</script>")

    assert set(inline_script_hashes(tmp_path)) == {
        hashed(script) for script in [*scripts[:3], "a()\nb()"]
    }


def test_before_the_first_build_there_are_no_scripts(tmp_path: Path) -> None:
    assert inline_script_hashes(tmp_path / "client") == []


def hashed(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"

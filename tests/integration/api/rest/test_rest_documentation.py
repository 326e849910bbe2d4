"""The OpenAPI document has an example of everything, and its page shows it without help."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator

from clinic_chat.server.pages.security_headers import SecurityHeaders
from tests.integration.api.api_fixtures import HOST, ClinicApi

JSON = "application/json"


@pytest.fixture
def document(api: ClinicApi) -> dict[str, Any]:
    return api.app.openapi()


@pytest.fixture
async def page(api: ClinicApi) -> httpx.Response:
    """The page as the server serves it."""
    transport = httpx.ASGITransport(SecurityHeaders(api.app))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        return await client.get("/api/v1/docs")


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [data for methods in document["paths"].values() for data in methods.values()]


def contents(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every body that is taken or answered, by a name that says which."""
    return [
        (f"{data['operationId']} {where}", body["content"][JSON])
        for data in operations(document)
        for where, body in [("body", data.get("requestBody", {})), *data["responses"].items()]
        if JSON in body.get("content", {})
    ]


def test_every_body_has_an_example_that_its_schema_allows(document: dict[str, Any]) -> None:
    found = contents(document)
    assert len(found) > 100
    for name, content in found:
        schema = {**content["schema"], "components": document["components"]}
        faults = list(Draft202012Validator(schema).iter_errors(content["example"]))
        assert faults == [], name


def test_every_operation_says_what_it_is(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    names = [data["operationId"] for data in operations(document)]

    assert len(names) == len(set(names))
    for data in operations(document):
        assert set(data["tags"]) <= tags
        assert data["summary"]
        assert data["description"]
        assert data["security"] == [{"token": []}]
        assert {"401", "429", "500", "503"} <= set(data["responses"])
        assert "default" not in data["responses"]
        for parameter in data.get("parameters", []):
            assert parameter["in"] == "path" or parameter["description"], parameter["name"]


class Page(HTMLParser):
    """What a page has: its ids, its links, what it would load, and where the keyboard can go."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.styles: list[str] = []
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self._in_style = tag == "style"
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found["href"]))
        elif found.get("href") or found.get("src"):
            self.loads.append(str(found.get("href") or found.get("src")))
        if tag == "pre":
            assert found["tabindex"] == "0"
            assert found["aria-label"]
        assert "style" not in found
        assert not any(name.startswith("on") for name in found)

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles.append(data)
            self._in_style = False


async def test_the_page_shows_every_operation(
    page: httpx.Response, document: dict[str, Any]
) -> None:
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for path in document["paths"]:
        assert f"<code>{path}</code>" in page.text
    for data in operations(document):
        assert f'id="do-{data["operationId"]}"' in page.text
        if "x-permission" in data:
            assert f"Needs <code>{data['x-permission']}</code>" in page.text
    assert len(page.content) < 300_000


async def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing(
    page: httpx.Response,
) -> None:
    found = Page(page.text)

    assert "script" not in found.tags
    assert "iframe" not in found.tags
    assert found.loads == ["/favicon.svg"]
    assert not re.search(r"@import|url\(", "".join(found.styles))
    assert {link for link in found.links if not link.startswith("#")} == {"openapi.json"}
    (style,) = found.styles
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(
        part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";")
    )
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


async def test_the_pages_links_lead_somewhere(page: httpx.Response) -> None:
    found = Page(page.text)

    assert len(found.ids) == len(set(found.ids))
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)
    assert found.links[0] == "#content"


async def test_other_pages_keep_the_policy_of_pages(api: ClinicApi) -> None:
    transport = httpx.ASGITransport(SecurityHeaders(api.app))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        answer = await client.get("/api/v1/openapi.json")

    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"

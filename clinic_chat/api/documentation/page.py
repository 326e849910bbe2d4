"""The page of the API's documentation: HTML without scripts, made of the OpenAPI document.

Viewers of such documents are programs of over 1 MB, and most load parts of others' servers.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from clinic_chat.api.documentation.markup import escaped, inline, paragraphs
from clinic_chat.api.documentation.operations import (
    method_html,
    operation_html,
    operations_of,
)
from clinic_chat.api.documentation.shapes import shapes_html
from clinic_chat.api.routes import GuardedRoute

PATH = "/api/v1/docs"
STYLE = Path(__file__).with_name("style.css").read_text()
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing runs, and nothing is loaded but this server's icon."""

router = APIRouter(route_class=GuardedRoute)


@router.get(PATH, include_in_schema=False)
async def documentation(request: Request) -> HTMLResponse:
    """The page; made at its first request."""
    app = request.app
    made: str | None = getattr(app.state, "documentation", None)
    if made is None:
        made = app.state.documentation = page_html(app.openapi())
    return HTMLResponse(made, headers={"Content-Security-Policy": POLICY})


def page_html(document: dict[str, Any]) -> str:
    """The whole page of a document."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    title, version = escaped(document["info"]["title"]), escaped(document["info"]["version"])
    groups = [(tag, operations_of(document, tag["name"])) for tag in document["tags"]]
    links = "".join(_links(tag["name"], found) for tag, found in groups)
    sections = "".join(
        f'<section class="group" id="{escaped(tag["name"])}"><h2>{_title(tag["name"])}</h2>'
        f"<p>{inline(tag['description'])}</p>"
        f"{''.join(operation_html(one, schemas) for one in found)}</section>"
        for tag, found in groups
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<title>{title} API</title><link rel="icon" href="/favicon.svg" type="image/svg+xml">'
        f"<style>{STYLE}</style></head><body>"
        '<a class="skip" href="#content">Skip to the content</a>'
        f'<header><p class="name">{title} <span>API {version}</span></p>'
        '<a href="openapi.json">openapi.json</a></header>'
        f'<nav aria-label="Contents">{links}<a class="tag" href="#objects">Objects</a></nav>'
        f'<main id="content"><h1>{title} API</h1>'
        f'<div class="introduction">{paragraphs(document["info"]["description"])}</div>'
        f'{sections}<section class="group" id="objects"><h2>Objects</h2>'
        f"{shapes_html(schemas)}</section></main></body></html>"
    )


def _links(tag: str, operations: list[Any]) -> str:
    rows = "".join(
        f'<li><a href="#{one.id}">{method_html(one.method)} {escaped(one.data["summary"])}</a></li>'
        for one in operations
    )
    return f'<a class="tag" href="#{escaped(tag)}">{_title(tag)}</a><ul>{rows}</ul>'


def _title(tag: str) -> str:
    return escaped(tag.capitalize())

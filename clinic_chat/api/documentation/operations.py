"""The operations of the OpenAPI document as HTML, by tag."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clinic_chat.api.documentation.markup import escaped, example, inline, paragraphs
from clinic_chat.api.documentation.shapes import field_html, fields_html, type_html

_JSON = "application/json"
SHARED_HEADERS = {"If-None-Match"}
"""What every GET takes: told once, at the top."""


@dataclass(frozen=True)
class Operation:
    """An operation of the document."""

    method: str
    path: str
    data: dict[str, Any]

    @property
    def id(self) -> str:
        """The id of its section on the page."""
        return f"do-{escaped(self.data['operationId'])}"


def operations_of(document: dict[str, Any], tag: str) -> list[Operation]:
    """The operations of a tag, in the order of the document."""
    return [
        Operation(method.upper(), path, data)
        for path, methods in document["paths"].items()
        for method, data in methods.items()
        if tag in data.get("tags", [])
    ]


def operation_html(operation: Operation, schemas: dict[str, Any]) -> str:
    """A section with all that is to be known of an operation."""
    data = operation.data
    return (
        f'<section class="operation" id="{operation.id}"><h3>{escaped(data["summary"])}</h3>'
        f'<p class="address">{method_html(operation.method)} '
        f"<code>{escaped(operation.path)}</code></p>"
        f"{_permission(data)}{paragraphs(data.get('description', ''))}"
        f"{_parameters(data, schemas)}{_body(data, schemas)}{''.join(_answers(data, schemas))}"
        "</section>"
    )


def method_html(method: str) -> str:
    """The badge of a method."""
    return f'<span class="method {escaped(method.lower())}">{escaped(method)}</span>'


def _permission(data: dict[str, Any]) -> str:
    permission = data.get("x-permission")
    if permission is None:
        return ""
    return f'<p class="permission">Needs <code>{escaped(permission)}</code></p>'


def _parameters(data: dict[str, Any], schemas: dict[str, Any]) -> str:
    rows = [
        field_html(
            one["name"],
            {**_given(one["schema"]), "description": one.get("description", "")},
            schemas,
            needed=one["required"],
        )
        for one in data.get("parameters", [])
        if one["in"] != "path" and one["name"] not in SHARED_HEADERS
    ]
    return f'<h4>Parameters</h4><dl class="fields">{"".join(rows)}</dl>' if rows else ""


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """What a parameter may be when it is given: null is what it is when it is left out."""
    choices = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return choices[0] if len(choices) == 1 else schema


def _body(data: dict[str, Any], schemas: dict[str, Any]) -> str:
    content = data.get("requestBody", {}).get("content", {}).get(_JSON)
    if content is None:
        return ""
    schema = content["schema"]
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return (
        "<h4>Body</h4>"
        + paragraphs(schema.get("description", ""))
        + fields_html(schema, schemas)
        + example(content["example"], f"Body of: {data['summary']}")
    )


def _answers(data: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield "<h4>Answers</h4>"
    refusals = []
    for status, answer in sorted(data["responses"].items()):
        line = f'<span class="status">{escaped(status)}</span> {inline(answer["description"])}'
        content = answer.get("content", {}).get(_JSON)
        if not status.startswith("2"):
            refusals.append(f"<li>{line}</li>")
        elif content is None:
            yield f"<p>{line}</p>"
        else:
            yield f'<p>{line} <span class="type">{type_html(content["schema"], schemas)}</span></p>'
            if status == _first_success(data):
                yield example(content["example"], f"Answer of: {data['summary']}")
    yield f'<ul class="refusals">{"".join(refusals)}</ul>'


def _first_success(data: dict[str, Any]) -> str:
    """The status of a new thing rather than of a repetition."""
    return max(str(status) for status in data["responses"] if str(status).startswith("2"))

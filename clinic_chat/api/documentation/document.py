"""The OpenAPI document, with what all operations share: examples, headers, conditional answers."""

from copy import deepcopy
from typing import Any

from fastapi import FastAPI

from clinic_chat.api.documentation.examples import EXAMPLES, PARAMETERS

DESCRIPTION = """\
What channels and other programs do for a clinic, in JSON.

**Token.** Send `Authorization: Bearer …`. A token is of one clinic and allows what was chosen when
it was made; one of a person acts as that person, with their role. `GET /api/v1/me` tells.

**Errors.** Every refusal is `{"error": {"code", "message", "field"?, "details"?}}`. `code` is
stable; `details` lists the fields that are wrong, or tells the state that a conflict is with.

**Limits.** Every answer to a token has `RateLimit-Limit`, `RateLimit-Remaining` and
`RateLimit-Reset` (requests in a minute, requests left, seconds until more are). Beyond it the
answer is 429 with `Retry-After`.

**Pages.** Lists have `nextCursor`: send it as `cursor` until it is empty.

**Changes.** Every answer to a GET has an `ETag`. Send it as `If-None-Match`, and what has not
changed is 304 without a body.

**Times** are ISO 8601 in UTC.
"""
TAGS = [
    {"name": "conversations", "description": "A conversation is with one patient, on one channel."},
    {"name": "messages", "description": "Numbered 1, 2, 3 … in their conversation."},
    {"name": "patients", "description": "The people who write, and how they are known."},
    {"name": "staff", "description": "The people who answer."},
    {"name": "channels", "description": "For what brings patients' messages and takes answers."},
    {
        "name": "webhooks",
        "description": "Where events are sent, and what was not taken.",
    },
    {"name": "token", "description": "What a program has."},
]
_JSON = "application/json"
_QUOTA = {
    "RateLimit-Limit": "Requests in a minute",
    "RateLimit-Remaining": "Requests that are left of them",
    "RateLimit-Reset": "Seconds until more are left",
}
_TAG = {"ETag": {"description": "Stands for this content", "schema": {"type": "string"}}}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what you have.",
    "schema": {"type": "string"},
}


class DocumentedApi(FastAPI):
    """An application whose OpenAPI document is completed."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """A copy of a document with an example of each body, and what each answer has in common."""
    whole = deepcopy(document)
    schemas: dict[str, Any] = whole["components"]["schemas"]
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    for methods in whole["paths"].values():
        for method, operation in methods.items():
            _complete(method, operation, schemas)
    return whole


def _complete(method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["name"] in PARAMETERS:
            parameter["example"] = PARAMETERS[parameter["name"]]
    if "requestBody" in operation:
        _add_example(operation["requestBody"], schemas)
    if method == "get":
        operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
        operation["responses"]["304"] = {"description": "You have it", "headers": dict(_TAG)}
        operation["responses"]["200"].setdefault("headers", {}).update(_TAG)
    for status, answer in operation["responses"].items():
        _describe(answer, schemas)
        _add_example(answer, schemas)
        if status != "401":
            answer.setdefault("headers", {}).update(_quota_headers())


def _describe(answer: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say of an answer what its model says, where the framework says something of any."""
    if answer["description"] == "Successful Response":
        model = answer["content"][_JSON]["schema"]["$ref"].rpartition("/")[2]
        answer["description"] = schemas[model]["description"].rstrip(".")


def _quota_headers() -> dict[str, Any]:
    return {
        name: {"description": text, "schema": {"type": "integer", "minimum": 0}}
        for name, text in _QUOTA.items()
    }


def _add_example(body: dict[str, Any], schemas: dict[str, Any]) -> None:
    content = body.get("content", {}).get(_JSON)
    if content is not None and "example" not in content:
        content["example"] = example_of(content["schema"], schemas)


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """An example of a schema, that of its model or else one made of those of its fields.

    Raises:
        LookupError: it has a field without any.
    """
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    if "properties" in schema:
        return {name: example_of(its, schemas) for name, its in schema["properties"].items()}
    raise LookupError(f"no example of {schema.get('title', schema)}: add one to examples.py")

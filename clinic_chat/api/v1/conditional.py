"""Conditional requests: ETag and If-None-Match, so that a program gets 304 for what it has.

RFC 9110, sections 8.8.3 and 13.1.2. Answers are `no-store`: programs keep them, caches do not.
"""

import hashlib
from http import HTTPStatus

from fastapi import Request
from starlette.responses import Response

TAG_BYTES = 16


def entity_tag(*parts: object) -> str:
    """The tag of what these parts decide, such as a version and the query's parameters."""
    return _tag("\0".join(map(str, parts)).encode())


def is_current(request: Request, tag: str) -> bool:
    """Whether the program has what the tag stands for; tags are compared weakly."""
    asked = request.headers.get("if-none-match", "")
    known = {one.strip().removeprefix("W/") for one in asked.split(",")}
    return "*" in known or tag in known


def not_modified(tag: str) -> Response:
    """The answer to a program that has it."""
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})


def conditional(request: Request, response: Response) -> Response:
    """The answer to a GET with its tag, that of its body unless it has one; 304 if current."""
    if response.status_code != HTTPStatus.OK:
        return response
    tag = response.headers.get("etag") or _tag(bytes(response.body))
    if is_current(request, tag):
        return not_modified(tag)
    response.headers["ETag"] = tag
    return response


def _tag(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=TAG_BYTES).hexdigest()}"'

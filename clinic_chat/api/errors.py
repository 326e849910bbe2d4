"""Errors as JSON: `{"error": {"code", "message", "field"?, "details"?}}`, for every route."""

from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from clinic_chat.domain.errors import (
    Conflict,
    DomainError,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
)
from clinic_chat.logs import places
from clinic_chat.storage.database import StorageUnavailable

SHOWN_FIELD_LENGTH = 60
MOST_PROBLEMS = 20
# A domain limit does not say when it ends; it is counted over a minute.
RATE_LIMIT_SECONDS = 60

log = structlog.get_logger(__name__)


class FieldProblem(BaseModel):
    """A field of the request that breaks a rule."""

    field: str
    code: str
    message: str


class ErrorDetail(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    code: str
    """Stable, for programs."""
    message: str
    """English, for developers."""
    field: str | None = None
    """The field of the request that is wrong, like `patient.phone`."""
    details: list[FieldProblem] | dict[str, Any] | None = None
    """Every field that is wrong, or what the state is that a conflict is with."""


class ErrorResponse(BaseModel):
    """The body of every error."""

    error: ErrorDetail


class ApiError(HTTPException):
    """A refusal with its HTTP status; the frameworks let HTTP exceptions pass unchanged."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        details: list[FieldProblem] | dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.code = code
        self.field = field
        if details is None and field is not None:
            details = [FieldProblem(field=field, code=code, message=message)]
        self.details = details


STORAGE_UNAVAILABLE = ApiError(
    503,
    "storage_unavailable",
    "the database cannot be reached, try again",
    headers={"Retry-After": "1"},
)


def rate_limited(seconds: int) -> ApiError:
    """A 429 error with the seconds to wait, also in Retry-After."""
    return ApiError(
        429,
        "rate_limited",
        f"too many requests, try again in {seconds} s",
        headers={"Retry-After": str(seconds)},
    )


def error_response(error: Exception) -> JSONResponse:
    """The answer to a failed request; an unexpected exception is logged, without its text."""
    refusal = _refusal(error)
    detail = ErrorDetail(
        code=refusal.code, message=refusal.detail, field=refusal.field, details=refusal.details
    )
    body = ErrorResponse(error=detail).model_dump(exclude_none=True)
    return JSONResponse(body, refusal.status_code, refusal.headers)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI declaration of these error statuses, for a route's `responses`."""
    return {
        status: {
            "model": ErrorResponse,
            "description": _DESCRIPTIONS[status],
            "content": {"application/json": {"example": _example(status)}},
        }
        | ({"headers": _RETRY_AFTER} if status in {429, 503} else {})
        for status in statuses
    }


def _example(status: int) -> dict[str, Any]:
    return {"error": {"code": _CODES[status], "message": _DESCRIPTIONS[status].lower()}}


def _refusal(error: Exception) -> ApiError:
    match error:
        case ApiError():
            return error
        case RequestValidationError():
            return _invalid_request(error)
        case HTTPException(status_code=400):
            return ApiError(400, "malformed_json", "the body is not valid JSON")
        case HTTPException(status_code=404):
            return ApiError(404, "not_found", "there is nothing at this address")
        case HTTPException():
            return ApiError(error.status_code, "refused", "the request was refused")
        case NotFound():
            return ApiError(404, error.code, str(error))
        case InvalidInput():
            field = _FIELDS.get(error.code.partition("_")[0])
            return ApiError(422, error.code, str(error), field=field)
        case Forbidden():
            return ApiError(403, error.code, str(error))
        case Conflict():
            return ApiError(409, error.code, str(error), details=error.details)
        case RateLimited():
            return rate_limited(RATE_LIMIT_SECONDS)
        case DomainError():
            return ApiError(422, error.code, str(error))
        case StorageUnavailable():
            return STORAGE_UNAVAILABLE
    log.error("request_failed", exception=type(error).__name__, at=places(error.__traceback__))
    return ApiError(500, "internal", "something went wrong on our side")


def _invalid_request(error: RequestValidationError) -> ApiError:
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        return ApiError(400, "malformed_json", "the body is not valid JSON")
    problems = [_problem(one) for one in found[:MOST_PROBLEMS]]
    first = problems[0]
    named = [problem for problem in problems if problem.field]
    return ApiError(
        422, first.code, first.message, field=first.field or None, details=named or None
    )


def _problem(error: Any) -> FieldProblem:
    field = ".".join(_shown(part) for part in error["loc"][1:])
    code, message = _RULES.get(error["type"], ("invalid_request", "{} is not valid"))
    return FieldProblem(field=field, code=code, message=message.format(field or "the body"))


def _shown(part: object) -> str:
    # A key is the client's own text: it may be anything, but it must fit in a message.
    text = str(part)[:SHOWN_FIELD_LENGTH]
    return "".join(c if c.isprintable() else "?" for c in text)


_RULES = {
    "missing": ("missing_field", "{} is missing"),
    "extra_forbidden": ("unknown_field", "{} is not a field of this request"),
    "string_type": ("invalid_type", "{} must be text"),
    "model_type": ("invalid_type", "{} must be an object"),
    "model_attributes_type": ("invalid_type", "{} must be an object"),
}
# First part of a domain error's code → the field of the request that broke the rule.
_FIELDS = {
    "activeSince": "activeSince",
    "address": "value",
    "assignee": "assigneeId",
    "body": "body",
    "clientId": "clientId",
    "cursor": "cursor",
    "externalId": "externalId",
    "identity": "phone",
    "kind": "kind",
    "name": "name",
    "phone": "phone",
    "same": "intoPatientId",
    "search": "search",
    "status": "status",
}
_CODES = {
    400: "malformed_json",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "missing_field",
    429: "rate_limited",
    500: "internal",
    503: "storage_unavailable",
}
_DESCRIPTIONS = {
    400: "The body is not JSON",
    401: "No token, or an unknown or revoked one",
    403: "This token may not do that",
    404: "There is no such thing in this clinic",
    409: "The state changed meanwhile",
    413: "The body is too large",
    415: "The body is not declared as JSON",
    422: "A field breaks a rule",
    429: "Too many requests in a minute",
    500: "Something went wrong on the server's side",
    503: "The database cannot be reached now",
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}
}

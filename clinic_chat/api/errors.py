"""Errors as JSON: `{"error": {"code", "message", "field"?}}`, for every route of the API."""

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
# A domain limit does not say when it ends; it is counted over a minute.
RATE_LIMIT_SECONDS = 60

log = structlog.get_logger(__name__)


class ErrorDetail(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    code: str
    """Stable, for programs."""
    message: str
    """English, for developers."""
    field: str | None = None
    """The field of the request that is wrong, like `patient.phone`."""


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
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.code = code
        self.field = field


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
    detail = ErrorDetail(code=refusal.code, message=refusal.detail, field=refusal.field)
    body = ErrorResponse(error=detail).model_dump(exclude_none=True)
    return JSONResponse(body, refusal.status_code, refusal.headers)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI declaration of these error statuses, for a route's `responses`."""
    return {
        status: {"model": ErrorResponse, "description": _DESCRIPTIONS[status]}
        | ({"headers": _RETRY_AFTER} if status in {429, 503} else {})
        for status in statuses
    }


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
            return ApiError(422, error.code, str(error))
        case Forbidden():
            return ApiError(403, error.code, str(error))
        case Conflict():
            return ApiError(409, error.code, str(error))
        case RateLimited():
            return rate_limited(RATE_LIMIT_SECONDS)
        case DomainError():
            return ApiError(422, error.code, str(error))
        case StorageUnavailable():
            return STORAGE_UNAVAILABLE
    log.error("request_failed", exception=type(error).__name__, at=places(error.__traceback__))
    return ApiError(500, "internal", "something went wrong on our side")


def _invalid_request(error: RequestValidationError) -> ApiError:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return ApiError(400, "malformed_json", "the body is not valid JSON")
    field = ".".join(_shown(part) for part in first["loc"][1:])
    code, message = _RULES.get(first["type"], ("invalid_request", "{} is not valid"))
    return ApiError(422, code, message.format(field or "the body"), field=field or None)


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

"""Domain errors: refusals of use cases, each with a stable code that API and UI translate."""

from typing import Any


class DomainError(Exception):
    """Base of every refusal; `code` is stable, `str(error)` is English for developers."""

    code = "invalid"
    details: dict[str, Any] | None = None
    """What programs get to know besides; nothing that a patient wrote."""

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message or self.__doc__ or self.code)
        if code is not None:
            self.code = code


class NotFound(DomainError):
    """There is no such thing, or not in this clinic: the two are never told apart."""

    code = "not_found"


class Forbidden(DomainError):
    """Whoever acts may not do this."""

    code = "forbidden"


class InvalidInput(DomainError):
    """The input breaks a rule; `code` names the rule."""


class Conflict(DomainError):
    """The state changed meanwhile."""

    code = "conflict"


class RateLimited(DomainError):
    """Too many of these in a minute."""

    code = "rate_limited"

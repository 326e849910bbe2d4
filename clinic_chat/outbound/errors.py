"""Why an outbound request failed."""

from enum import StrEnum


class Failure(StrEnum):
    """A reason that can be told to whoever chose the address; nothing of the answer is in it."""

    NOT_HTTPS = "not_https"
    ADDRESS_INVALID = "address_invalid"
    ADDRESS_PRIVATE = "address_private"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    REDIRECTED = "redirected"
    STATUS = "status"
    """It answered with an error."""
    NOT_JSON = "not_json"


class OutboundError(Exception):
    """An outbound request that was refused or failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure

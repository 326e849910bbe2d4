"""A value kept in a browser for a few minutes, signed for one purpose."""

import hashlib
import hmac
from dataclasses import dataclass
from time import time

from fastapi import Request
from starlette.responses import Response

from clinic_chat.settings import Settings
from clinic_chat.web import cookies

PATH = "/auth"


@dataclass(frozen=True)
class SignedCookie:
    """A cookie of the sign-in; its value is `<value>.<until>.<signature>`, without dots in it."""

    name: str
    purpose: str
    seconds: int

    def keep(
        self, response: Response, request: Request, settings: Settings, value: str, owner: str = ""
    ) -> None:
        """Keep a value in the browser; with an `owner` it is valid for that one alone."""
        until = str(int(time()) + self.seconds)
        response.set_cookie(
            self.name,
            f"{value}.{until}.{self._signature(settings, value, owner, until)}",
            max_age=self.seconds,
            path=PATH,
            httponly=True,
            samesite="strict",
            secure=cookies.is_secure(request.scope, settings),
        )

    def value(self, request: Request, settings: Settings, owner: str = "") -> str | None:
        """The value that the browser got for this owner in the last minutes, or None."""
        value, _, rest = request.cookies.get(self.name, "").partition(".")
        until, _, signature = rest.partition(".")
        right = self._signature(settings, value, owner, until)
        if not hmac.compare_digest(right.encode(), signature.encode()):
            return None
        return value if int(until) > time() else None

    def forget(self, response: Response) -> None:
        """Have the browser forget the value."""
        response.delete_cookie(self.name, path=PATH)

    def _signature(self, settings: Settings, *parts: str) -> str:
        message = "\n".join((self.purpose, *parts)).encode()
        return hmac.new(settings.signing_key(), message, hashlib.sha256).hexdigest()

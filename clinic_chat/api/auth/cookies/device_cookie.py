"""The device cookie: the accounts that were signed in to in this browser before.

It grants no access. It only distinguishes a returning person from somebody who guesses, also while
others fail to sign in to the same account. Its value is up to `ACCOUNTS` entries
`<device id>.<month>.<signature>`, each signed for one account; no email address is in it.
"""

import base64
import hashlib
import hmac
import re
import secrets
from time import time

from fastapi import Request
from starlette.responses import Response

from clinic_chat.settings import Settings
from clinic_chat.web import cookies

NAME = "clinic_chat_device"
# Accounts remembered in one browser: the people who share a desk.
ACCOUNTS = 8
MONTH_SECONDS = 30 * 86_400
MONTHS = 6
_ENTRY = re.compile(r"([A-Za-z0-9_-]{16})\.(\d{1,6})\.([A-Za-z0-9_-]{22})")


def device_of(request: Request, settings: Settings, account: str) -> str | None:
    """The device's id if this account was signed in to there in the last MONTHS, else None."""
    for device, month, signature in _entries(request, settings):
        if _is_recent(month) and hmac.compare_digest(
            signature, _sign(settings, account, device, month)
        ):
            return device
    return None


def remember_device(response: Response, request: Request, settings: Settings, account: str) -> None:
    """Add this account to the device cookie of the browser."""
    month = str(_month())
    others = [
        entry
        for entry in _entries(request, settings)
        if _is_recent(entry[1])
        and not hmac.compare_digest(entry[2], _sign(settings, account, entry[0], entry[1]))
    ]
    device = device_of(request, settings, account) or secrets.token_urlsafe(12)
    entries = [(device, month, _sign(settings, account, device, month)), *others][:ACCOUNTS]
    secure = cookies.is_secure(request.scope, settings)
    response.set_cookie(
        cookies.cookie_name(secure, NAME),
        "~".join(".".join(entry) for entry in entries),
        max_age=MONTHS * MONTH_SECONDS,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def _entries(request: Request, settings: Settings) -> list[tuple[str, str, str]]:
    name = cookies.cookie_name(cookies.is_secure(request.scope, settings), NAME)
    value = cookies.cookie_value(request.headers.get("cookie", ""), name) or ""
    found = (_ENTRY.fullmatch(entry) for entry in value.split("~", ACCOUNTS)[:ACCOUNTS])
    return [(match[1], match[2], match[3]) for match in found if match]


def _sign(settings: Settings, account: str, device: str, month: str) -> str:
    message = f"device:{account}:{device}:{month}".encode()
    digest = hmac.new(settings.signing_key(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def _month() -> int:
    return int(time() // MONTH_SECONDS)


def _is_recent(month: str) -> bool:
    return 0 <= _month() - int(month) <= MONTHS

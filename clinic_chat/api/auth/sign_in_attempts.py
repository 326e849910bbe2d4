"""Limits failed sign-ins: strictly per account and address, widely per account and per address.

Only a wrong email or password counts. An attacker can block an account for their own address only;
others still get in, and a browser that signed in to the account before has a count of its own
(OWASP, Blocking Brute Force Attacks: device cookies).
"""

import hashlib
import hmac
from dataclasses import dataclass

from fastapi import Request

from clinic_chat.api.auth.cookies import device_cookie
from clinic_chat.api.context import client_host
from clinic_chat.domain.accounts.hashing_queue import QueueEntry
from clinic_chat.logs import audit
from clinic_chat.services import Services
from clinic_chat.web.rate_limits import address_key

# Multiples of the limit per account and address: a clinic often shares one address, and nobody
# should easily block an account for all. Passwords withstand this many guesses.
WIDE_PER_ADDRESS = 30
WIDE_PER_ACCOUNT = 100


class TooManyFailures(Exception):
    """Sign-ins from this address or to this account failed too often; wait `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in: its address, account and device."""

    services: Services
    address: str
    account: str
    device: str | None
    """The device's id if this account was signed in to there before."""

    @property
    def queue_entry(self) -> QueueEntry:
        """Its entry in the queue for password hashing; a known device has priority."""
        party = self.device or self.address
        return QueueEntry(party, priority=self.device is not None, admit=self.check)

    async def check(self) -> None:
        """Refuse the attempt when too many have failed.

        Raises:
            TooManyFailures: with the seconds to wait.
        """
        waits = [await self.services.limits.blocked(*count) for count in self._counts()]
        if wait := max(waits):
            raise TooManyFailures(wait)

    async def failed(self) -> None:
        """Count a wrong email or password."""
        for count in self._counts():
            await self.services.limits.hit(*count)

    async def audit_refusal(self, event: str) -> None:
        """Record a refusal without a password check, at most once a minute for an address."""
        if not await self.services.limits.hit(event, self.address, 1):
            audit(event, address=self.address, account=self.account)

    def _counts(self) -> list[tuple[str, str, int]]:
        limit = self.services.settings.login_attempts_per_minute
        if self.device:
            return [("login-device", self.device, limit)]
        return [
            ("login", f"{self.account}:{self.address}", limit),
            ("login-address", self.address, limit * WIDE_PER_ADDRESS),
            ("login-account", self.account, limit * WIDE_PER_ACCOUNT),
        ]


async def attempt_of(request: Request, services: Services, email: str) -> Attempt:
    """The attempt of this request to sign in to the account of a normalised email address."""
    settings = services.settings
    address = address_key(client_host(request))
    account = account_key(settings.signing_key(), email)
    device = device_cookie.device_of(request, settings, account)
    attempt = Attempt(services, address, account, device)
    if device:
        limit = settings.login_attempts_per_minute
        if await services.limits.blocked("login-device", device, limit):
            # A known device that failed too often is treated like an unknown one.
            return Attempt(services, address, account, None)
    return attempt


def account_key(key: bytes, email: str) -> str:
    """The key that an account is counted by, so that counters, cookies and logs hold no email."""
    # A client chooses the email and logs show the key, so the key must be no other signature.
    return hmac.new(key, b"account:" + email.encode(), hashlib.sha256).hexdigest()[:32]

"""How often signing in may fail: for one account from one address, and widely for each.

Only a wrong email or password counts. What an attacker can block is their own address for an
account; everybody else who works there still gets in, and a browser that signed in to the
account before has a count of its own (OWASP, Blocking Brute Force Attacks: device cookies).
"""

import hashlib
import hmac
from dataclasses import dataclass

from fastapi import Request

from clinic_chat.api.auth import devices
from clinic_chat.domain.accounts.hashing_queue import QueueEntry
from clinic_chat.logs import audit
from clinic_chat.rate_limits import address_key
from clinic_chat.services import Services

# So many times the limit of one account from one address. A clinic is often behind one address,
# and an account that can be blocked from everywhere is a weapon; passwords hold against this.
WIDE_PER_ADDRESS = 30
WIDE_PER_ACCOUNT = 100


class TooManyFailures(Exception):
    """Signing in failed too often, from there or to this account; `seconds` to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Attempt:
    """One try to sign in: where it comes from and for which account."""

    services: Services
    address: str
    account: str
    device: str | None
    """The id of the device when this account was signed in to there before."""

    @property
    def queue_entry(self) -> QueueEntry:
        """Its turn to have the password checked: who was here before comes first."""
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
        """Record a refusal that cost nothing; a flood of them is one line a minute and address."""
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
    """The attempt that this request is, for the account of a normal email address."""
    settings = services.settings
    address = address_key(request.client.host if request.client else None)
    account = account_key(settings.signing_key(), email)
    device = devices.device_of(request, settings, account)
    attempt = Attempt(services, address, account, device)
    if device:
        limit = settings.login_attempts_per_minute
        if await services.limits.blocked("login-device", device, limit):
            # A device that fails like anybody is treated like anybody.
            return Attempt(services, address, account, None)
    return attempt


def account_key(key: bytes, email: str) -> str:
    """What to count an account by: no email address stands in counters, cookies and logs."""
    # Whoever signs in chooses the address and a log shows the key: it must be no other signature.
    return hmac.new(key, b"account:" + email.encode(), hashlib.sha256).hexdigest()[:32]

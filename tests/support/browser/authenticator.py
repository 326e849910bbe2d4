"""Chromium's own software authenticator, by the DevTools protocol (WebAuthn domain)."""

from typing import Self

from playwright.async_api import CDPSession, Page

from tests.support.servers.server import Reached

OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


def named(server: Reached) -> str:
    """The server's origin by a name, because passkeys are for no IP address."""
    return f"http://localhost:{server.port}"


class VirtualAuthenticator:
    """A device with passkeys at a page; its person is there when the test says so."""

    def __init__(self, session: CDPSession, key: str) -> None:
        self._session = session
        self._key = key

    @classmethod
    async def of(cls, page: Page) -> Self:
        """Put a device without passkeys to the page, with nobody in front of it yet."""
        session = await page.context.new_cdp_session(page)
        await session.send("WebAuthn.enable")
        options = {**OPTIONS, "automaticPresenceSimulation": False}
        added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return cls(session, added["authenticatorId"])

    async def touch(self, *, verified: bool = True) -> None:
        """Its person answers every question that is asked from now on, as who they are or not."""
        device = {"authenticatorId": self._key}
        await self._session.send("WebAuthn.setUserVerified", {**device, "isUserVerified": verified})
        await self._session.send(
            "WebAuthn.setAutomaticPresenceSimulation", {**device, "enabled": True}
        )

    async def leave(self) -> None:
        """Nobody answers what is asked from now on."""
        await self._session.send(
            "WebAuthn.setAutomaticPresenceSimulation",
            {"authenticatorId": self._key, "enabled": False},
        )

"""The API beside a real provider that the clinic Aurora has set, and people who come from there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx

from clinic_chat.domain.accounts.session_records import Identity
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.single_sign_on.providers import provider_seal
from clinic_chat.domain.single_sign_on.settings import WantedProvider, save_provider
from tests.integration.api.api_fixtures import ClinicApi, clinic_api
from tests.support.provider.certificates import ADDRESS, certificates
from tests.support.provider.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider


@dataclass
class SsoApi:
    """The API, and the provider of the clinic Aurora."""

    api: ClinicApi
    provider: IdentityProvider
    internet: httpx.AsyncClient

    def scope(self, clinic: str = "aurora") -> ClinicScope:
        """A clinic as the server itself sees it."""
        return ClinicScope(self.api.services.database, self.api.clinics[clinic], SYSTEM)

    async def set_provider(self, clinic: str = "aurora", *, is_enabled: bool = True) -> None:
        """Set the provider of a clinic."""
        wanted = WantedProvider(self.provider.origin, CLIENT_ID, CLIENT_SECRET, is_enabled)
        seal = provider_seal(self.api.services.settings.signing_key())
        await save_provider(self.scope(clinic), seal, wanted)

    async def start(
        self, client: httpx.AsyncClient, clinic: str = "aurora", **query: str
    ) -> httpx.Response:
        """Where the server sends a browser."""
        return await client.get("/auth/sso/start", params={"clinic": clinic, **query})

    async def at_provider(self, address: str) -> str:
        """Where the provider sends the browser back to, as path and query."""
        back = (await self.internet.get(address)).headers["location"]
        parts = urlsplit(back)
        return f"{parts.path}?{parts.query}"

    async def come(
        self, clinic: str = "aurora", client: httpx.AsyncClient | None = None, **query: str
    ) -> httpx.Response:
        """Sign in at the provider in a browser; the last answer."""
        client = client or self.api.browser()
        started = await self.start(client, clinic, **query)
        assert started.status_code == 303, started.text
        if not started.headers["location"].startswith(self.provider.origin):
            return started
        return await client.get(await self.at_provider(started.headers["location"]))

    async def session(self, answer: httpx.Response) -> Identity:
        """Whose session an answer has started."""
        found = await self.api.services.sessions.find(answer.cookies[COOKIE_NAME])
        assert found is not None
        return found

    async def user_id(self, email: str) -> UUID:
        """Somebody's id, by a sign-in with the password."""
        signed_in = await self.api.browser().post(
            "/auth/login", data={"email": email, "password": "correct horse battery"}
        )
        return (await self.session(signed_in)).user_id


@asynccontextmanager
async def sso_api(url: str) -> AsyncIterator[SsoApi]:
    """The API with a provider that Aurora has set."""
    own = certificates()
    settings = {"outbound_private_hosts": ADDRESS, "outbound_ca_file": own.ca_file}
    with IdentityProvider() as provider:
        async with (
            clinic_api(url, **settings) as api,
            httpx.AsyncClient(verify=own.client_context(), trust_env=False) as internet,
        ):
            found = SsoApi(api, provider, internet)
            await found.set_provider()
            yield found


def reason(answer: httpx.Response) -> str:
    """The error with which somebody is sent to the sign-in page; "" for nowhere or for none."""
    location = urlsplit(answer.headers.get("location", ""))
    assert COOKIE_NAME not in answer.cookies or location.path != "/login"
    return parse_qs(location.query).get("error", [""])[0] if location.path == "/login" else ""

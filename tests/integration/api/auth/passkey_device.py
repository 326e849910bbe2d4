"""A person's browser with an authenticator, at the HTTP side of passkeys."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from clinic_chat.web.cookies import cookie_name
from tests.integration.api.api_fixtures import HOST, PASSWORD, ClinicApi
from tests.support.authenticator import Authenticator, Credential

ORIGIN = f"https://{HOST}"
JSON = {"Accept": "application/json", "Origin": ORIGIN}
SESSION = cookie_name(secure=True)
ANA = "ana@aurora.example"
CARLA = "carla@boreal.example"


@dataclass
class Device:
    """A browser over HTTPS and its passkeys."""

    client: httpx.AsyncClient
    authenticator: Authenticator = field(default_factory=lambda: Authenticator(ORIGIN))

    async def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        return await self.client.post(f"/auth/{path}", data=form, headers=JSON | headers)

    async def password(self, email: str = ANA, **form: str) -> httpx.Response:
        """Sign in with the password, or begin to."""
        return await self.post("login", {"email": email, "password": PASSWORD} | form)

    async def asked(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        """The options that the browser is given."""
        answer = await self.post(path, form)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def add(self, name: str = "") -> httpx.Response:
        """Make a passkey; the person is signed in."""
        options = await self.asked("passkey/new", {"password": PASSWORD})
        made = self.authenticator.create(options)
        return await self.post("passkey/add", made | {"name": name})

    async def sign_in(
        self, step: str = "", credential: Credential | None = None, **form: str
    ) -> httpx.Response:
        """Sign in with a passkey, alone or as a second step."""
        options = await self.asked("passkey/options", {"step": step})
        signed = self.authenticator.get(options, credential)
        return await self.post("passkey", signed | {"step": step} | form)

    @property
    def session(self) -> str | None:
        """The cookie of the session."""
        return self.client.cookies.get(SESSION)

    def forget_cookies(self) -> None:
        self.client.cookies.clear()


def device(api: ClinicApi) -> Device:
    """A browser that nobody has signed in at."""
    return Device(api.browser("https"))


async def device_with_passkey(api: ClinicApi, email: str = ANA) -> Device:
    """A browser whose person has a passkey, and is signed in nowhere there."""
    found = device(api)
    await found.password(email)
    added = await found.add()
    assert added.status_code == 200, added.text
    found.forget_cookies()
    return found


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """The status of a refusal and its code."""
    return answer.status_code, answer.json()["error"]["code"]

"""`/auth/link`, `/auth/join`, `/auth/password` and `/auth/setup`: before there is a session."""

from collections.abc import AsyncIterator

import pytest
import time_machine

from clinic_chat.api.auth import setup
from clinic_chat.api.auth.links import LINKS_PER_MINUTE
from clinic_chat.domain.administration.invitations import invite, reset_password_link
from clinic_chat.domain.clinics.actors import Role, StaffActor
from clinic_chat.domain.clinics.scope import ClinicScope
from tests.integration.api.api_fixtures import EARLY_IN_A_MINUTE, ClinicApi, clinic_api

NEW_PASSWORD = "uma tarde no parque"
EVA = "eva@aurora.example"
ROUTES = ("link", "join", "password", "setup")
JSON = {"Accept": "application/json"}


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    async with clinic_api(any_database_url) as api:
        yield api


async def administrator(api: ClinicApi) -> ClinicScope:
    """Ana, as the administrator of Aurora."""
    cookie = (await api.sign_in()).cookies["clinic_chat_session"]
    ana = await api.services.sessions.find(cookie)
    assert ana is not None
    api.client.cookies.clear()
    return ClinicScope(
        api.services.database, api.clinics["aurora"], StaffActor(ana.user_id, Role.ADMIN)
    )


async def test_a_person_joins_and_is_signed_in(api: ClinicApi) -> None:
    token = await invite(await administrator(api), EVA, "receptionist")

    offer = await api.client.post("/auth/link", data={"token": token})
    joined = await api.client.post(
        "/auth/join", data={"token": token, "name": "Eva Duarte", "password": NEW_PASSWORD}
    )

    assert offer.json() == {
        "kind": "join",
        "clinic": offer.json()["clinic"],
        "email": EVA,
        "name": "",
        "hasAccount": False,
    }
    assert joined.json() == {"ok": True, "location": "/"}
    who = await api.services.sessions.find(joined.cookies["clinic_chat_session"])
    assert who is not None
    assert (who.email, who.role) == (EVA, "receptionist")
    again = await api.client.post(
        "/auth/join", data={"token": token, "name": "Eva", "password": NEW_PASSWORD}
    )
    assert (again.status_code, again.json()["error"]["code"]) == (409, "link_over")


async def test_who_has_an_account_is_not_signed_in_by_a_link(api: ClinicApi) -> None:
    token = await invite(await administrator(api), "carla@boreal.example", "receptionist")

    joined = await api.client.post("/auth/join", data={"token": token, "password": "x"})

    assert joined.json() == {"ok": True, "location": "/login"}
    assert not joined.cookies


async def test_nobody_who_works_elsewhere_gets_a_link_for_a_password(api: ClinicApi) -> None:
    ana = await administrator(api)
    with pytest.raises(Exception, match="another clinic"):
        await reset_password_link(ana, ana.staff_id())


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "\ud800", "' OR 1=1 --"])
async def test_what_is_no_link_and_no_code_opens_nothing(
    api: ClinicApi, route: str, token: str
) -> None:
    text = token.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    answer = await api.client.post(f"/auth/{route}", data={"token": text, "code": text})

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] in {"link_over", "clinic_exists"}


@pytest.mark.parametrize("route", ROUTES)
async def test_another_site_cannot_post_for_somebody(api: ClinicApi, route: str) -> None:
    answer = await api.client.post(
        f"/auth/{route}", data={"token": "x"}, headers={"Origin": "https://evil.example"}
    )

    assert answer.status_code == 403


async def test_guesses_are_counted_by_address(api: ClinicApi) -> None:
    with time_machine.travel(EARLY_IN_A_MINUTE):
        for _ in range(LINKS_PER_MINUTE):
            assert (await api.client.post("/auth/link", data={"token": "x"})).status_code == 409
        for route in ROUTES:
            refused = await api.client.post(f"/auth/{route}", data={"token": "x"})
            assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limited")


async def test_there_is_no_code_on_a_server_with_a_clinic(api: ClinicApi) -> None:
    await setup.code.announce(api.services)

    assert not setup.code.matches("")
    assert not setup.code.matches("0" * 20)

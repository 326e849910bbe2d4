"""A clinic's administrator controls its provider: what it says opens this clinic and nothing else.

Ana works in Aurora and in Boreal. Aurora's provider says that somebody is Ana.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest

from clinic_chat.domain.accounts.permissions import NOT_BY_PROVIDER, OF_ROLES, Permission, allows
from clinic_chat.domain.accounts.session_records import Identity, Proof
from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.domain.administration.own_account import (
    change_name,
    change_password,
    end_browser,
    end_other_browsers,
    list_browsers,
)
from clinic_chat.domain.administration.second_factors import (
    begin_factor,
    confirm_factor,
    read_own_factor,
    remove_own_factor,
)
from clinic_chat.domain.clinics.actors import Role, StaffActor
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Forbidden, InvalidInput, NotFound
from clinic_chat.domain.single_sign_on.providers import provider_seal
from clinic_chat.domain.single_sign_on.settings import (
    WantedProvider,
    remove_provider,
    save_provider,
    unlink_person,
)
from tests.integration.api.api_fixtures import PASSWORD
from tests.support.provider.identity_provider import CLIENT_ID, CLIENT_SECRET
from tests.support.provider.staff import SsoApi, reason, sso_api

NEW_PASSWORD = "uma tarde no parque"


@pytest.fixture
async def sso(any_database_url: str) -> AsyncIterator[SsoApi]:
    async with sso_api(any_database_url) as sso:
        yield sso


def acting(sso: SsoApi, identity: Identity) -> ClinicScope:
    return ClinicScope(sso.api.services.database, identity.clinic_id, identity.actor)


async def test_the_session_moves_to_no_other_clinic(sso: SsoApi) -> None:
    browser = sso.api.browser()
    ours = await sso.session(await sso.come(client=browser))

    moved = await browser.post("/auth/switch", data={"clinic": "boreal"})

    assert moved.headers["location"] == "/"
    assert COOKIE_NAME not in moved.cookies
    assert await sso.api.services.sessions.find(browser.cookies[COOKIE_NAME]) == ours
    # A session by the password does move, and stays one by the password.
    await sso.api.sign_in()
    moved = await sso.api.client.post("/auth/switch", data={"clinic": "boreal"})
    there = await sso.session(moved)
    assert (there.clinic_slug, there.proof) == ("boreal", Proof.PASSWORD)


USE_CASES: dict[str, Callable[[ClinicScope, SsoApi], Awaitable[object]]] = {
    "name": lambda scope, _: change_name(scope, "Somebody"),
    "password": lambda scope, _: change_password(scope, UUID(int=0), PASSWORD, NEW_PASSWORD),
    "app": lambda scope, sso: begin_factor(scope, sso.api.services.sessions.seal),
    "code": lambda scope, sso: confirm_factor(scope, sso.api.services.sessions.seal, "000000"),
    "no app": lambda scope, sso: remove_own_factor(scope, sso.api.services.sessions.seal, "0"),
    "codes left": lambda scope, _: read_own_factor(scope),
}


@pytest.mark.parametrize("name", USE_CASES)
async def test_nothing_is_changed_that_lets_the_person_in_elsewhere(sso: SsoApi, name: str) -> None:
    ours = await sso.session(await sso.come())
    with pytest.raises(Forbidden):
        await USE_CASES[name](acting(sso, ours), sso)
    assert (await sso.api.sign_in()).headers["location"] == "/"


@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize("role", Role)
def test_a_provider_gives_no_role_more_and_each_the_account_less(
    role: Role, restricted: bool
) -> None:
    by_provider = StaffActor(UUID(int=1), role, restricted, by_provider=True)
    by_password = replace(by_provider, by_provider=False)
    lost = {p for p in Permission if allows(by_password, p) and not allows(by_provider, p)}
    assert lost == NOT_BY_PROVIDER == {Permission.MANAGE_OWN_ACCOUNT}
    assert not {p for p in Permission if allows(by_provider, p)} - OF_ROLES[role]


async def test_sessions_elsewhere_are_neither_seen_nor_ended(sso: SsoApi) -> None:
    await sso.api.sign_in()
    boreal = await sso.session(await sso.api.client.post("/auth/switch", data={"clinic": "boreal"}))
    ours = await sso.session(await sso.come())
    scope = acting(sso, ours)

    assert {one.clinic for one in await list_browsers(scope, ours.session_id)} == {"Clínica Aurora"}
    with pytest.raises(NotFound):
        await end_browser(scope, str(boreal.session_id))
    await end_other_browsers(scope, ours.session_id)

    live = await sso.api.services.sessions.still_live([boreal.session_id, ours.session_id])
    assert set(live) == {boreal.session_id, ours.session_id}


async def test_the_person_begins_where_they_were_whatever_the_provider_does(sso: SsoApi) -> None:
    await sso.api.sign_in()
    await sso.api.client.post("/auth/switch", data={"clinic": "boreal"})
    await sso.come()
    again = await sso.api.browser().post(
        "/auth/login", data={"email": "ana@aurora.example", "password": PASSWORD}
    )
    assert (await sso.session(again)).clinic_slug == "boreal"


async def test_who_works_elsewhere_alone_is_nobody_here(sso: SsoApi) -> None:
    sso.provider.email = "carla@boreal.example"
    assert reason(await sso.come()) == "sso_not_member"
    # And the answer is that for somebody who is nowhere.
    sso.provider.email = "nobody@nowhere.example"
    assert reason(await sso.come()) == "sso_not_member"


async def test_an_account_known_in_one_clinic_is_not_in_another(sso: SsoApi) -> None:
    """The same provider and subject, of another clinic: its own people are meant."""
    await sso.come()
    await sso.set_provider("boreal")
    sso.provider.email = "carla@boreal.example"

    there = await sso.session(await sso.come("boreal"))

    assert (there.email, there.clinic_slug) == ("carla@boreal.example", "boreal")


async def test_a_state_of_one_clinic_is_none_of_another(sso: SsoApi) -> None:
    await sso.set_provider("boreal")
    browser = sso.api.browser()
    ours = await sso.start(browser)
    back = await sso.at_provider(ours.headers["location"])
    await sso.start(browser, "boreal")
    assert reason(await browser.get(back)) == "sso_late"


async def _turn_off(sso: SsoApi) -> None:
    await sso.set_provider(is_enabled=False)


async def _change_issuer(sso: SsoApi) -> None:
    seal = provider_seal(sso.api.services.settings.signing_key())
    wanted = WantedProvider("https://other.example", CLIENT_ID, CLIENT_SECRET, True)
    await save_provider(sso.scope(), seal, wanted)


async def _change_client(sso: SsoApi) -> None:
    seal = provider_seal(sso.api.services.settings.signing_key())
    wanted = WantedProvider(sso.provider.origin, "another", CLIENT_SECRET, True)
    await save_provider(sso.scope(), seal, wanted)


async def _remove(sso: SsoApi) -> None:
    await remove_provider(sso.scope())


async def _unlink(sso: SsoApi) -> None:
    await unlink_person(sso.scope(), await sso.user_id("ana@aurora.example"))


ENDS = [_turn_off, _change_issuer, _change_client, _remove, _unlink]


@pytest.mark.parametrize("end", ENDS)
async def test_what_the_provider_began_ends_with_it_and_nothing_else(
    sso: SsoApi, end: Callable[[SsoApi], Awaitable[None]]
) -> None:
    by_password = await sso.session(await sso.api.sign_in())
    by_provider = await sso.session(await sso.come())
    await sso.set_provider("boreal")
    elsewhere = await sso.session(await sso.come("boreal"))
    sessions = [one.session_id for one in (by_password, by_provider, elsewhere)]
    assert len(await sso.api.services.sessions.still_live(sessions)) == 3

    await end(sso)

    live = await sso.api.services.sessions.still_live(sessions)
    assert set(live) == {by_password.session_id, elsewhere.session_id}


@pytest.mark.parametrize("end", ENDS[:-1])
async def test_who_is_at_the_provider_meanwhile_does_not_come_in(
    sso: SsoApi, end: Callable[[SsoApi], Awaitable[None]]
) -> None:
    browser = sso.api.browser()
    started = await sso.start(browser)
    back = await sso.at_provider(started.headers["location"])
    await end(sso)
    answer = await browser.get(back)
    assert reason(answer) in {"sso_late", "sso_unavailable"}
    assert COOKIE_NAME not in browser.cookies


async def test_a_provider_that_was_removed_and_set_again_is_another(sso: SsoApi) -> None:
    browser = sso.api.browser()
    started = await sso.start(browser)
    back = await sso.at_provider(started.headers["location"])
    await remove_provider(sso.scope())
    await sso.set_provider()
    assert reason(await browser.get(back)) == "sso_late"


async def test_a_secret_goes_to_no_other_address(sso: SsoApi) -> None:
    """Who may change the issuer but does not know the secret does not get it sent to them."""
    seal = provider_seal(sso.api.services.settings.signing_key())
    with pytest.raises(InvalidInput) as refusal:
        await save_provider(
            sso.scope(), seal, WantedProvider("https://evil.example", CLIENT_ID, "", True)
        )
    assert refusal.value.code == "secret_missing"

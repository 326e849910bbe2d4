"""Who works in a clinic: roles, leaving and coming back, inside one clinic and never leaderless."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from clinic_chat.domain.accounts.session_records import Browser
from clinic_chat.domain.accounts.sessions import Sessions
from clinic_chat.domain.accounts.users import Membership, colleagues, create_user
from clinic_chat.domain.administration.audit_trail import read_audit_trail
from clinic_chat.domain.administration.members import (
    LastAdministrator,
    activate_member,
    change_role,
    deactivate_member,
    end_sessions_of,
    list_members,
)
from clinic_chat.domain.clinics.actors import Role, StaffActor
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.assignment import assign
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.events.log import EventType, SubjectKind, events_after
from clinic_chat.settings import Settings
from clinic_chat.storage.database import Database
from tests.conftest import PASSWORD, TEST_KEY, Clinics
from tests.support.sending import conversation_with


def sessions_of(database: Database) -> Sessions:
    return Sessions(database, Settings(database_url=database.url, secret_key=TEST_KEY))


async def acts(scope: ClinicScope) -> list[tuple[str, str, str]]:
    """What the trail says, oldest first: who did what to whom."""
    page = await read_audit_trail(scope)
    return [(act.actor_name, act.action, act.subject_name) for act in reversed(page.entries)]


async def test_a_member_is_listed_with_role_and_sessions(
    any_database: Database, clinics: Clinics
) -> None:
    sessions = sessions_of(any_database)
    await sessions.sign_in("bruno@aurora.example", PASSWORD)
    await sessions.sign_in("bruno@aurora.example", PASSWORD)

    ana, bruno = await list_members(clinics.ana)

    assert (ana.name, ana.role, ana.sessions, ana.seen_at) == ("Ana Souza", "admin", 0, "")
    assert (bruno.email, bruno.role, bruno.is_active) == (
        "bruno@aurora.example",
        "professional",
        True,
    )
    assert (bruno.sessions, bool(bruno.seen_at)) == (2, True)


async def test_a_role_is_changed_audited_and_told_to_the_log(
    any_database: Database, clinics: Clinics
) -> None:
    scope = replace(clinics.ana, address="192.0.2.7")
    await change_role(scope, str(clinics.bruno.staff_id()), "auditor")
    await change_role(scope, clinics.bruno.staff_id(), "auditor")

    assert {member.role for member in await list_members(clinics.ana)} == {"admin", "auditor"}
    (act,) = (await read_audit_trail(clinics.ana)).entries
    assert (act.actor_name, act.action, act.subject_name) == (
        "Ana Souza",
        "member.role_changed",
        "Bruno Lima",
    )
    assert act.details == {"before": "professional", "after": "auditor"}
    assert act.address == "192.0.2.7"
    (event,) = await events_after(clinics.aurora, 0)
    assert (event.type, event.subject.kind, event.subject.version) == (
        EventType.ADMINISTERED,
        SubjectKind.STAFF,
        1,
    )
    assert event.payload == {"action": "member.role_changed"}


async def test_the_last_administrator_stays_one(any_database: Database, clinics: Clinics) -> None:
    ana = clinics.ana.staff_id()
    for take_away in (
        lambda: change_role(clinics.ana, ana, "receptionist"),
        lambda: deactivate_member(clinics.ana, ana),
    ):
        with pytest.raises(LastAdministrator):
            await take_away()

    assert [m.role for m in await list_members(clinics.ana) if m.id == str(ana)] == ["admin"]
    assert await acts(clinics.ana) == []
    # A second one who may not sign in does not count.
    await change_role(clinics.ana, clinics.bruno.staff_id(), "admin")
    await deactivate_member(clinics.ana, clinics.bruno.staff_id())
    with pytest.raises(LastAdministrator):
        await deactivate_member(clinics.ana, ana)


async def test_of_two_administrators_who_demote_each_other_one_stays(
    any_database: Database, clinics: Clinics
) -> None:
    await change_role(clinics.ana, clinics.bruno.staff_id(), "admin")
    bruno = replace(clinics.bruno, actor=StaffActor(clinics.bruno.staff_id(), Role.ADMIN))

    outcomes = await asyncio.gather(
        change_role(clinics.ana, clinics.bruno.staff_id(), "receptionist"),
        change_role(bruno, clinics.ana.staff_id(), "receptionist"),
        return_exceptions=True,
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "LastAdministrator",
        "NoneType",
    ]
    assert sorted(member.role for member in await list_members(clinics.aurora)) == [
        "admin",
        "receptionist",
    ]


async def test_who_is_deactivated_is_signed_out_and_stays_out_of_this_clinic_alone(
    any_database: Database, clinics: Clinics
) -> None:
    await create_user(
        any_database,
        clinics.boreal.clinic_id,
        "bruno@aurora.example",
        "Bruno",
        "",
        Role.PROFESSIONAL,
    )
    sessions = sessions_of(any_database)
    here = await sessions.sign_in("bruno@aurora.example", PASSWORD)
    assert here is not None
    there = await sessions.switch(here, "boreal")
    again = await sessions.sign_in("bruno@aurora.example", PASSWORD)
    assert there is not None
    assert again is not None
    if (await sessions.find(again)).clinic_slug != "aurora":  # type: ignore[union-attr]
        again = await sessions.switch(again, "aurora")
    bruno = str(clinics.bruno.staff_id())

    assert await deactivate_member(clinics.ana, bruno) == 1

    assert await sessions.find(again) is None
    found = await sessions.find(there)
    assert found is not None
    assert found.clinic_slug == "boreal"
    assert await sessions.switch(there, "aurora") is None
    async with any_database.read() as session:
        names = [one.name for one in await colleagues(session, clinics.aurora.clinic_id)]
    assert names == ["Ana Souza"]
    conversation = await conversation_with(clinics.aurora, "+5511987654321")
    with pytest.raises(NotFound):
        await assign(clinics.ana, conversation, bruno, "")

    await activate_member(clinics.ana, bruno)
    await activate_member(clinics.ana, bruno)
    assert await sessions.switch(there, "aurora")
    assert await acts(clinics.ana) == [
        ("Ana Souza", "member.deactivated", "Bruno Lima"),
        ("Ana Souza", "member.activated", "Bruno Lima"),
    ]


async def test_a_member_is_signed_out_everywhere_in_the_clinic(
    any_database: Database, clinics: Clinics
) -> None:
    sessions = sessions_of(any_database)
    cookie = await sessions.sign_in(
        "bruno@aurora.example", PASSWORD, browser=Browser("Firefox", "192.0.2.1")
    )

    assert await end_sessions_of(clinics.ana, clinics.bruno.staff_id()) == 1
    assert await sessions.find(cookie) is None


@pytest.mark.parametrize("act", [deactivate_member, activate_member, end_sessions_of])
async def test_nobody_of_another_clinic_is_found(
    any_database: Database, clinics: Clinics, act: object
) -> None:
    for stranger in (clinics.carla.staff_id(), uuid4(), "nobody", "", None):
        with pytest.raises(NotFound):
            await act(clinics.ana, stranger)  # type: ignore[operator]
        with pytest.raises(NotFound):
            await change_role(clinics.ana, stranger, "admin")
    async with any_database.read() as session:
        carla = await session.get_one(
            Membership, (clinics.carla.staff_id(), clinics.boreal.clinic_id)
        )
    assert (carla.role, carla.deactivated_at) == (Role.RECEPTIONIST, None)


@pytest.mark.parametrize("role", ["", "owner", None, 1, "ADMIN"])
async def test_a_role_that_is_none_is_refused(clinics: Clinics, role: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await change_role(clinics.ana, clinics.bruno.staff_id(), role)
    assert refusal.value.code == "role_invalid"

"""Links to join and to set a password: once, for a while, for one person, in one clinic."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from clinic_chat.domain.accounts.users import create_user
from clinic_chat.domain.administration.invitations import (
    JOIN_LIFETIME,
    MAX_OPEN,
    RESET_LIFETIME,
    invite,
    list_invitations,
    reset_password_link,
    revoke_invitation,
)
from clinic_chat.domain.administration.joining import (
    accept_invitation,
    read_link,
    set_password_by_link,
)
from clinic_chat.domain.administration.links import Invitation, LinkOver
from clinic_chat.domain.administration.members import list_members
from clinic_chat.domain.clinics.actors import Role
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.storage.database import Database
from tests.conftest import PASSWORD, Clinics
from tests.integration.administration.test_members import acts, sessions_of

EVA = "eva@aurora.example"
NEW_PASSWORD = "uma tarde no parque"


@pytest.fixture
def clock(clinics: Clinics) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2030, 5, 6, 8, tzinfo=UTC), tick=False) as traveller:
        yield traveller


async def test_a_person_who_is_invited_joins_once(any_database: Database, clinics: Clinics) -> None:
    text = await invite(clinics.ana, f"  {EVA.upper()} ", "professional")

    offer = await read_link(any_database, text)
    assert (offer.clinic_name, offer.email, offer.has_account) == ("Clínica Aurora", EVA, False)
    (waiting,) = await list_invitations(clinics.ana)
    assert (waiting.email, waiting.role) == (EVA, "professional")
    email = await accept_invitation(
        any_database, text, name="Eva Duarte", password=NEW_PASSWORD, address="192.0.2.9"
    )

    assert email == EVA
    assert await sessions_of(any_database).sign_in(EVA, NEW_PASSWORD)
    assert [(m.name, m.role) for m in await list_members(clinics.ana) if m.email == EVA] == [
        ("Eva Duarte", "professional")
    ]
    assert await list_invitations(clinics.ana) == []
    assert await acts(clinics.ana) == [
        ("Ana Souza", "invitation.created", EVA),
        ("Eva Duarte", "member.added", "Eva Duarte"),
    ]
    with pytest.raises(LinkOver):
        await accept_invitation(any_database, text, name="Eva", password=NEW_PASSWORD)


async def test_a_link_is_used_once_also_by_two_at_the_same_moment(
    any_database: Database, clinics: Clinics
) -> None:
    text = await invite(clinics.ana, EVA, "admin")

    outcomes = await asyncio.gather(
        *(
            accept_invitation(any_database, text, name="Eva", password=NEW_PASSWORD)
            for _ in range(3)
        ),
        return_exceptions=True,
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LinkOver", "LinkOver", "str"]


async def test_who_has_an_account_joins_with_it(any_database: Database, clinics: Clinics) -> None:
    text = await invite(clinics.ana, "carla@boreal.example", "receptionist")

    offer = await read_link(any_database, text)
    assert (offer.name, offer.has_account) == ("Carla Dias", True)
    await accept_invitation(any_database, text, name="Outra", password="x")

    sessions = sessions_of(any_database)
    cookie = await sessions.sign_in("carla@boreal.example", PASSWORD)
    assert cookie is not None
    assert await sessions.switch(cookie, "aurora")
    assert "Carla Dias" in {member.name for member in await list_members(clinics.ana)}


async def test_a_second_invitation_ends_the_first(any_database: Database, clinics: Clinics) -> None:
    first = await invite(clinics.ana, EVA, "admin")
    second = await invite(clinics.ana, EVA, "receptionist")

    with pytest.raises(LinkOver):
        await read_link(any_database, first)
    assert (await read_link(any_database, second)).email == EVA
    assert len(await list_invitations(clinics.ana)) == 1


async def test_an_invitation_is_taken_back(any_database: Database, clinics: Clinics) -> None:
    text = await invite(clinics.ana, EVA, "admin")
    (waiting,) = await list_invitations(clinics.ana)

    with pytest.raises(NotFound):
        await revoke_invitation(clinics.boreal, waiting.id)
    await revoke_invitation(clinics.ana, waiting.id)

    with pytest.raises(LinkOver):
        await read_link(any_database, text)
    with pytest.raises(NotFound):
        await revoke_invitation(clinics.ana, waiting.id)


async def test_links_are_over_after_a_while(
    any_database: Database, clinics: Clinics, clock: time_machine.Traveller
) -> None:
    join = await invite(clinics.ana, EVA, "admin")
    reset = await reset_password_link(clinics.ana, clinics.bruno.staff_id())

    clock.shift(RESET_LIFETIME - timedelta(seconds=1))
    assert (await read_link(any_database, reset)).name == "Bruno Lima"
    clock.shift(timedelta(seconds=2))
    with pytest.raises(LinkOver):
        await set_password_by_link(any_database, reset, NEW_PASSWORD)
    clock.shift(JOIN_LIFETIME)
    with pytest.raises(LinkOver):
        await accept_invitation(any_database, join, name="Eva", password=NEW_PASSWORD)
    assert await list_invitations(clinics.ana) == []


async def test_a_new_password_by_a_link_signs_out_everywhere(
    any_database: Database, clinics: Clinics
) -> None:
    sessions = sessions_of(any_database)
    cookie = await sessions.sign_in("bruno@aurora.example", PASSWORD)
    text = await reset_password_link(clinics.ana, clinics.bruno.staff_id())

    assert await set_password_by_link(any_database, text, NEW_PASSWORD) == "bruno@aurora.example"

    assert await sessions.find(cookie) is None
    assert await sessions.sign_in("bruno@aurora.example", PASSWORD) is None
    assert await sessions.sign_in("bruno@aurora.example", NEW_PASSWORD)
    with pytest.raises(LinkOver):
        await set_password_by_link(any_database, text, NEW_PASSWORD)
    assert (await acts(clinics.ana))[-1] == ("Bruno Lima", "password.changed", "Bruno Lima")


async def test_no_clinic_opens_another_ones_door_by_a_new_password(
    any_database: Database, clinics: Clinics
) -> None:
    early = await reset_password_link(clinics.ana, clinics.bruno.staff_id())
    await create_user(any_database, clinics.boreal.clinic_id, "bruno@aurora.example", "Bruno", "")

    with pytest.raises(Conflict) as refusal:
        await reset_password_link(clinics.ana, clinics.bruno.staff_id())
    assert refusal.value.code == "works_elsewhere"
    with pytest.raises(LinkOver):
        await set_password_by_link(any_database, early, NEW_PASSWORD)
    assert await sessions_of(any_database).sign_in("bruno@aurora.example", PASSWORD)


async def test_a_link_of_one_kind_does_nothing_else(
    any_database: Database, clinics: Clinics
) -> None:
    join = await invite(clinics.ana, EVA, "admin")
    reset = await reset_password_link(clinics.ana, clinics.bruno.staff_id())

    with pytest.raises(LinkOver):
        await set_password_by_link(any_database, join, NEW_PASSWORD)
    with pytest.raises(LinkOver):
        await accept_invitation(any_database, reset, name="Eva", password=NEW_PASSWORD)


@pytest.mark.parametrize("text", ["", "x", "x" * 101, "x" * 100_000, None, 7, "\ud800", "ação"])
async def test_what_is_no_link_opens_nothing(
    any_database: Database, clinics: Clinics, text: object
) -> None:
    with pytest.raises(LinkOver):
        await read_link(any_database, text)


@pytest.mark.parametrize(
    ("email", "role", "code"),
    [
        ("", "admin", "email_invalid"),
        ("nobody", "admin", "email_invalid"),
        (None, "admin", "email_invalid"),
        (EVA, "owner", "role_invalid"),
        ("bruno@aurora.example", "admin", "member_exists"),
    ],
)
async def test_an_invitation_that_cannot_be_is_refused(
    clinics: Clinics, email: object, role: object, code: str
) -> None:
    with pytest.raises((InvalidInput, Conflict)) as refusal:
        await invite(clinics.ana, email, role)
    assert refusal.value.code == code


@pytest.mark.parametrize("password", ["short", "password1234", "eva duarte aurora"])
async def test_a_weak_password_leaves_the_link_as_it_was(
    any_database: Database, clinics: Clinics, password: str
) -> None:
    text = await invite(clinics.ana, EVA, "admin")

    with pytest.raises(InvalidInput):
        await accept_invitation(any_database, text, name="Eva Duarte", password=password)
    assert (await read_link(any_database, text)).email == EVA


async def test_a_clinic_has_a_bounded_number_of_open_invitations(
    database: Database, clinics: Clinics, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_OPEN == 200
    monkeypatch.setattr("clinic_chat.domain.administration.invitations.MAX_OPEN", 2)
    for number in range(2):
        await invite(clinics.ana, f"eva{number}@aurora.example", "admin")

    with pytest.raises(Conflict) as refusal:
        await invite(clinics.ana, EVA, "admin")
    assert refusal.value.code == "too_many_invitations"
    # An earlier one of the same person makes room for its successor.
    await invite(clinics.ana, "eva1@aurora.example", "admin")


async def test_nothing_stored_opens_anything(any_database: Database, clinics: Clinics) -> None:
    text = await invite(clinics.ana, EVA, "admin")

    async with any_database.read() as session:
        row = (await session.scalars(select(Invitation))).one()
    assert text not in {str(value) for value in vars(row).values()}
    assert row.role == Role.ADMIN

"""A clinic's settings, its tokens and its audit trail."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from clinic_chat.domain.accounts.api_tokens import Tokens
from clinic_chat.domain.accounts.permissions import Permission, allows
from clinic_chat.domain.administration import audit_trail
from clinic_chat.domain.administration.audit_trail import read_audit_trail
from clinic_chat.domain.administration.clinic_settings import (
    ClinicChanges,
    ClinicSettings,
    change_clinic_settings,
    read_clinic_settings,
)
from clinic_chat.domain.administration.members import change_role
from clinic_chat.domain.administration.tokens import (
    MAX_TOKENS,
    create_clinic_token,
    list_clinic_tokens,
    revoke_clinic_token,
)
from clinic_chat.domain.clinics.actors import TokenActor
from clinic_chat.domain.errors import Conflict, InvalidInput, NotFound
from clinic_chat.storage.database import Database
from tests.conftest import PASSWORD, Clinics
from tests.integration.administration.test_members import acts, sessions_of

AS_IT_WAS = ClinicSettings("Clínica Aurora", "America/Sao_Paulo", "", 0)


async def test_settings_are_changed_together_and_audited(
    any_database: Database, clinics: Clinics
) -> None:
    assert await read_clinic_settings(clinics.ana) == AS_IT_WAS
    changes = ClinicChanges(
        name="Clínica Nova", timezone="America/Manaus", locale="en", session_idle_minutes=30
    )

    await change_clinic_settings(clinics.ana, **changes)
    await change_clinic_settings(clinics.ana, **changes)

    assert await read_clinic_settings(clinics.ana) == replace(AS_IT_WAS, **changes)
    assert await read_clinic_settings(replace(clinics.ana, clinic_id=clinics.boreal.clinic_id)) == (
        replace(AS_IT_WAS, name="Clínica Boreal")
    )
    (act,) = (await read_audit_trail(clinics.ana)).entries
    assert act.details["changed"]["timezone"] == ["America/Sao_Paulo", "America/Manaus"]
    assert set(act.details["changed"]) == {"name", "timezone", "locale", "session_idle_minutes"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "name_empty"),
        ({"timezone": "Mars/Base"}, "timezone_invalid"),
        ({"locale": "xx"}, "locale_invalid"),
        ({"session_idle_minutes": 4}, "idle_invalid"),
        ({"session_idle_minutes": 1441}, "idle_invalid"),
        ({"session_idle_minutes": -1}, "idle_invalid"),
    ],
)
async def test_settings_that_cannot_be_change_nothing(
    clinics: Clinics, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await change_clinic_settings(clinics.ana, **changes)  # type: ignore[arg-type]
    assert refusal.value.code == code
    assert await read_clinic_settings(clinics.ana) == AS_IT_WAS


async def test_two_administrators_change_different_settings_at_once(
    any_database: Database, clinics: Clinics
) -> None:
    await asyncio.gather(
        change_clinic_settings(clinics.ana, timezone="America/Manaus"),
        change_clinic_settings(clinics.ana, retention_months=12),
        change_clinic_settings(clinics.ana, business_hours={"0": [["08:00", "12:00"]]}),
        change_clinic_settings(clinics.ana, session_idle_minutes=30),
    )

    found = await read_clinic_settings(clinics.ana)
    assert replace(found, retention_from=None) == replace(
        AS_IT_WAS,
        timezone="America/Manaus",
        session_idle_minutes=30,
        business_hours={"0": [["08:00", "12:00"]]},
        retention_months=12,
    )


async def test_a_clinics_own_idle_time_counts(any_database: Database, clinics: Clinics) -> None:
    sessions = sessions_of(any_database)
    await change_clinic_settings(clinics.ana, session_idle_minutes=30)
    with time_machine.travel(datetime(2030, 5, 6, 8, tzinfo=UTC), tick=False) as clock:
        ours = await sessions.sign_in("ana@aurora.example", PASSWORD)
        theirs = await sessions.sign_in("carla@boreal.example", PASSWORD)
        clock.shift(timedelta(minutes=29))
        assert await sessions.find(ours) is not None
        clock.shift(timedelta(minutes=2))

        assert await sessions.find(ours) is None
        assert await sessions.find(theirs) is not None


async def test_a_token_does_what_it_was_made_for(any_database: Database, clinics: Clinics) -> None:
    text = await create_clinic_token(clinics.ana, "Agenda", ["messages.deliver"])

    holder = await Tokens(any_database).holder(text)
    assert holder is not None
    assert holder.clinic_id == clinics.aurora.clinic_id
    actor = TokenActor(holder.token_id, holder.permissions)
    assert [p for p in Permission if allows(actor, p)] == [Permission.DELIVER_MESSAGES]
    (listed,) = await list_clinic_tokens(clinics.ana)
    assert (listed.name, listed.permissions) == ("Agenda", ["messages.deliver"])
    assert listed.last_used_at
    assert await list_clinic_tokens(replace(clinics.ana, clinic_id=clinics.boreal.clinic_id)) == []

    await revoke_clinic_token(clinics.ana, listed.id)
    await revoke_clinic_token(clinics.ana, listed.id)
    assert await Tokens(any_database).holder(text) is None
    assert [action for _, action, _ in await acts(clinics.ana)] == [
        "token.created",
        "token.revoked",
    ]
    for stranger in ("x", None, str(clinics.ana.staff_id())):
        with pytest.raises(NotFound):
            await revoke_clinic_token(clinics.ana, stranger)


@pytest.mark.parametrize(
    "permissions", [[], ["staff.manage"], ["messages.deliver", "x"], [None], ["reports.read"]]
)
async def test_a_token_gets_nothing_that_is_not_for_tokens(
    clinics: Clinics, permissions: list[object]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await create_clinic_token(clinics.ana, "Agenda", permissions)
    assert refusal.value.code == "permissions_invalid"


async def test_a_clinic_has_a_bounded_number_of_tokens(
    clinics: Clinics, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_TOKENS == 50
    monkeypatch.setattr("clinic_chat.domain.administration.tokens.MAX_TOKENS", 1)
    await create_clinic_token(clinics.ana, "Agenda", ["messages.deliver"])

    with pytest.raises(Conflict) as refusal:
        await create_clinic_token(clinics.ana, "Outra", ["messages.deliver"])
    assert refusal.value.code == "too_many_tokens"


async def test_the_trail_is_read_page_by_page_each_act_once(
    any_database: Database, clinics: Clinics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_trail, "PAGE_SIZE", 3)
    roles = ["auditor", "receptionist", "professional"] * 2
    for role in roles:
        await change_role(clinics.ana, clinics.bruno.staff_id(), role)

    seen: list[str] = []
    cursor = ""
    while True:
        page = await read_audit_trail(clinics.ana, cursor)
        seen += [act.details["after"] for act in page.entries]
        if not (cursor := page.cursor):
            break
    assert seen == roles[::-1]
    assert (await read_audit_trail(clinics.boreal)).entries == []
    for wrong in ("x", "2030-01-01 x", "nonsense 01a22b17-7b3a-7fe5-b9a0-7c9911d24512"):
        with pytest.raises(InvalidInput):
            await read_audit_trail(clinics.ana, wrong)

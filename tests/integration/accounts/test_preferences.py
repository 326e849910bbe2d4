"""What a person chose for themselves: kept, told to their own devices, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clinic_chat.domain.accounts.preferences import save_preferences
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import Forbidden, InvalidInput
from clinic_chat.domain.events.log import PersonalChange, last_seq
from clinic_chat.storage.database import Database

if TYPE_CHECKING:
    from tests.conftest import Clinics

pytestmark = pytest.mark.usefixtures("any_database")

NO_CHOICE: dict[str, list[Any]] = {
    "locale": ["fr", "EN", "", 1, True, ["en"], {"en": 1}],
    "sound": ["yes", "", 1, 0, [True]],
}


@pytest.fixture
def told(any_database: Database) -> list[PersonalChange]:
    """What people's own devices are told."""
    told: list[PersonalChange] = []

    async def listen(announced: list[Any]) -> None:
        told.extend(item for item in announced if isinstance(item, PersonalChange))

    any_database.on_commit(listen)
    return told


async def _chosen(scope: ClinicScope) -> tuple[str | None, bool]:
    async with scope.database.read() as session:
        user = await session.get_one(User, scope.staff_id())
        return user.locale, user.sound


async def test_a_new_person_has_sound_and_the_browsers_language(clinics: Clinics) -> None:
    assert await _chosen(clinics.ana) == (None, True)


async def test_each_choice_leaves_the_other_as_it_is(clinics: Clinics) -> None:
    await save_preferences(clinics.ana, locale="en")
    assert await _chosen(clinics.ana) == ("en", True)
    await save_preferences(clinics.ana, sound=False)
    assert await _chosen(clinics.ana) == ("en", False)
    await save_preferences(clinics.ana, locale="pt-BR", sound=True)
    assert await _chosen(clinics.ana) == ("pt-BR", True)


async def test_the_persons_devices_are_told_both(
    clinics: Clinics, told: list[PersonalChange]
) -> None:
    await save_preferences(clinics.ana, locale="en")
    await save_preferences(clinics.ana, sound=False)
    assert [(item.user_id, item.version) for item in told] == [
        (clinics.ana.user_id, 1),
        (clinics.ana.user_id, 2),
    ]
    assert [item.change for item in told] == [
        {"type": "preferences", "locale": "en", "sound": True},
        {"type": "preferences", "locale": "en", "sound": False},
    ]


async def test_nobody_elses_choice_changes(clinics: Clinics) -> None:
    await save_preferences(clinics.ana, locale="en", sound=False)
    assert await _chosen(clinics.bruno) == (None, True)
    assert await _chosen(clinics.carla) == (None, True)


async def test_a_choice_is_no_event_of_the_clinic(clinics: Clinics) -> None:
    await save_preferences(clinics.ana, locale="en")
    assert await last_seq(clinics.aurora) == 0


async def test_what_is_no_choice_is_refused_and_changes_nothing(
    clinics: Clinics, told: list[PersonalChange]
) -> None:
    for name, values in NO_CHOICE.items():
        for value in values:
            with pytest.raises(InvalidInput) as refusal:
                await save_preferences(clinics.ana, **{name: value})
            assert refusal.value.code == f"{name}_invalid"
    with pytest.raises(InvalidInput):
        await save_preferences(clinics.ana, locale="en", sound=0)
    assert await _chosen(clinics.ana) == (None, True)
    assert told == []


async def test_only_people_choose(clinics: Clinics) -> None:
    with pytest.raises(Forbidden):
        await save_preferences(clinics.aurora, locale="en")

"""A person's own account: name, password, and the browsers they are signed in at."""

from uuid import uuid4

import pytest

from clinic_chat.domain.accounts.session_records import Browser
from clinic_chat.domain.administration.own_account import (
    WrongPassword,
    browser_name,
    change_name,
    change_password,
    end_browser,
    end_other_browsers,
    list_browsers,
)
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.storage.database import Database
from tests.conftest import PASSWORD, Clinics
from tests.integration.administration.test_members import acts, sessions_of

NEW_PASSWORD = "uma tarde no parque"
BRUNO = "bruno@aurora.example"


async def test_a_name_is_changed_and_audited(any_database: Database, clinics: Clinics) -> None:
    await change_name(clinics.bruno, "  Bruno  Lima Prado ")
    await change_name(clinics.bruno, "Bruno Lima Prado")

    assert await acts(clinics.ana) == [("Bruno Lima Prado", "profile.changed", "Bruno Lima Prado")]
    with pytest.raises(InvalidInput):
        await change_name(clinics.bruno, " ")


async def test_a_new_password_ends_the_other_sessions(
    any_database: Database, clinics: Clinics
) -> None:
    sessions = sessions_of(any_database)
    here, elsewhere = [await sessions.sign_in(BRUNO, PASSWORD) for _ in range(2)]
    this = await sessions.find(here)
    assert this is not None

    with pytest.raises(WrongPassword):
        await change_password(clinics.bruno, this.session_id, "wrong", NEW_PASSWORD)
    with pytest.raises(InvalidInput):
        await change_password(clinics.bruno, this.session_id, PASSWORD, "bruno lima")
    assert await sessions.find(elsewhere) is not None
    ended = await change_password(clinics.bruno, this.session_id, PASSWORD, NEW_PASSWORD)

    assert len(ended) == 1
    assert await sessions.find(here) is not None
    assert await sessions.find(elsewhere) is None
    assert await sessions.sign_in(BRUNO, PASSWORD) is None
    assert await sessions.sign_in(BRUNO, NEW_PASSWORD)


async def test_browsers_are_listed_and_ended_each_or_all_others(
    any_database: Database, clinics: Clinics
) -> None:
    sessions = sessions_of(any_database)
    phone = await sessions.sign_in(
        BRUNO, PASSWORD, browser=Browser("Telefone " * 50, "2001:db8::1")
    )
    desk = await sessions.sign_in(BRUNO, PASSWORD, browser=Browser("Firefox/140", "192.0.2.1"))
    this = await sessions.find(desk)
    await sessions.sign_in("ana@aurora.example", PASSWORD)
    assert this is not None

    first, second = await list_browsers(clinics.bruno, this.session_id)

    assert (first.browser, first.address, first.is_this) == ("Firefox", "192.0.2.1", True)
    assert (len(second.browser), second.clinic, second.is_this) == (40, "Clínica Aurora", False)
    assert str(await end_browser(clinics.bruno, second.id)) == second.id
    assert await sessions.find(phone) is None
    for stranger in (uuid4(), "x", None, second.id):
        with pytest.raises(NotFound):
            await end_browser(clinics.bruno, stranger)
    await sessions.sign_in(BRUNO, PASSWORD)
    assert len(await end_other_browsers(clinics.bruno, this.session_id)) == 1
    assert await end_other_browsers(clinics.bruno, this.session_id) == []
    assert [one.is_this for one in await list_browsers(clinics.bruno, this.session_id)] == [True]
    (ana,) = await list_browsers(clinics.ana, uuid4())
    with pytest.raises(NotFound):
        await end_browser(clinics.bruno, ana.id)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("", ""),
        ("curl/8.5.0", "curl/8.5.0"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge · Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari · iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Mobile Safari/537.36",
            "Chrome · Android",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox · Linux",
        ),
    ],
)
def test_a_browser_has_a_name_that_people_know(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name

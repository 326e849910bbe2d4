"""An open tab keeps nobody signed in; what its person does in it does."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from reflex.event import Event
from reflex_base.constants.route import RouteVar

from clinic_chat.domain.accounts.administration import deactivate_user, end_sessions, set_password
from clinic_chat.realtime.commands.registry import COMMANDS
from clinic_chat.realtime.gate import FRAMEWORK_EVENTS, Gate, exposed_events
from clinic_chat.realtime.server import RealtimeServer
from clinic_chat.services import Services
from clinic_chat.settings import Settings
from clinic_chat.ui.account.state import Account
from tests.conftest import TEST_KEY, Clinics
from tests.support.connections import SID, opened
from tests.support.people import ANA

pytestmark = pytest.mark.usefixtures("any_database")

IDLE = timedelta(minutes=60)
STEP = timedelta(minutes=25)
BY_A_PERSON = {name for name, command in COMMANDS.items() if command.by_a_person}
(PAGE_LOAD,) = exposed_events((Account,))


@pytest.fixture
def clock(clinics: Clinics) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2030, 5, 6, 8, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
async def live(clinics: Clinics) -> AsyncIterator[RealtimeServer]:
    settings = Settings(
        database_url=clinics.database.url, secret_key=TEST_KEY, session_idle_minutes=60
    )
    services = Services(settings)
    yield RealtimeServer(services)
    await services.close()


async def cut(live: RealtimeServer) -> list[str]:
    """The sockets that a look at all sessions cuts."""
    found: list[str] = []

    async def note(sid: str) -> None:
        found.append(sid)

    await live.connections._recheck(note)
    return found


def automatic(live: RealtimeServer) -> list[str]:
    return sorted(set(live.commands.by_name()) - BY_A_PERSON)


async def test_a_tab_that_only_asks_is_cut_when_its_person_is_idle_for_too_long(
    live: RealtimeServer, clock: time_machine.Traveller
) -> None:
    await opened(live)
    acts = live.commands.by_name()
    for _ in range(2):
        clock.shift(STEP)
        for name in automatic(live):
            await acts[name](SID, {})
        assert await cut(live) == []
    clock.shift(STEP)

    assert await cut(live) == [SID]


@pytest.mark.parametrize("name", sorted(BY_A_PERSON))
async def test_what_a_person_does_in_it_keeps_a_tab(
    live: RealtimeServer, clock: time_machine.Traveller, name: str
) -> None:
    await opened(live)
    act = live.commands.by_name()[name]
    for _ in range(4):
        clock.shift(STEP)
        await act(SID, {"conversationId": str(uuid4())})
        assert await cut(live) == []
    clock.shift(IDLE + timedelta(seconds=1))

    assert await cut(live) == [SID]


async def test_what_a_tab_asks_for_by_itself_keeps_no_tab(
    live: RealtimeServer, clock: time_machine.Traveller
) -> None:
    await opened(live)
    clock.shift(IDLE - timedelta(seconds=1))
    await live.commands.by_name()["feed:page"](SID, {"byItself": True})
    clock.shift(timedelta(seconds=2))

    assert await cut(live) == [SID]


@pytest.mark.parametrize("event", [*FRAMEWORK_EVENTS, PAGE_LOAD])
async def test_an_event_that_a_page_sends_by_itself_keeps_no_tab(
    live: RealtimeServer, clock: time_machine.Traveller, event: str
) -> None:
    await opened(live)
    clock.shift(IDLE - timedelta(seconds=1))
    await sends(live, event)
    assert await cut(live) == []
    clock.shift(timedelta(seconds=2))

    assert await cut(live) == [SID]


async def test_an_event_of_a_person_keeps_the_tab(
    live: RealtimeServer, clock: time_machine.Traveller
) -> None:
    await opened(live)
    clock.shift(IDLE - timedelta(seconds=1))
    await sends(live, "find")
    clock.shift(timedelta(seconds=2))

    assert await cut(live) == []


async def sends(live: RealtimeServer, event: str) -> None:
    """Send a state event through the gate, as a page does."""
    gate = Gate(live.connections, frozenset({"find", PAGE_LOAD}), live.cut, frozenset({PAGE_LOAD}))
    state: Any = SimpleNamespace(router_data={RouteVar.SESSION_ID: SID})
    blocked = await gate.preprocess(None, state, Event(name=event))  # type: ignore[arg-type]
    assert blocked is None


@pytest.mark.parametrize("how", ["end", "password", "deactivate"])
async def test_what_is_taken_back_elsewhere_cuts_the_sockets(
    live: RealtimeServer, clinics: Clinics, clock: time_machine.Traveller, how: str
) -> None:
    await opened(live)
    assert await cut(live) == []
    if how == "end":
        await end_sessions(clinics.database, ANA)
    elif how == "password":
        await set_password(clinics.database, ANA, "uma tarde no parque")
    else:
        await deactivate_user(clinics.database, ANA)

    assert await cut(live) == [SID]

"""Whatever happens in whatever order, every tab ends up showing what a fresh load would show.

Zulip's `verify_action` has the same idea: applying events must equal fetching anew.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.integration.convergence.network import LANES
from tests.integration.convergence.tabs import Browser
from tests.integration.convergence.world import PATIENTS, TABS, begun

pytestmark = pytest.mark.usefixtures("any_database")

if TYPE_CHECKING:
    from tests.conftest import Clinics

# The same few each time, so that it takes as long each time. To look for more, and differently
# each time: CONVERGENCE_EXAMPLES=1000 pytest tests/integration/convergence/test_convergence.py
MORE = os.environ.get("CONVERGENCE_EXAMPLES")
PROPERTY = settings(
    max_examples=int(MORE or 15),
    derandomize=MORE is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TAB = st.sampled_from(list(TABS))
CONVERSATION = st.integers(0, PATIENTS - 1)
PERSON = st.sampled_from(["ana", "bruno"])
FILTERS = [
    {},
    {"who": "mine"},
    {"who": "unassigned", "status": "open"},
    {"unread": True},
]


def happening(name: str, *details: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """A method of `World` with arguments."""
    return st.tuples(st.just(name), *details)


ELSEWHERE = (
    happening("patient_writes", CONVERSATION, st.integers(1, 3)),
    happening("new_patient_writes"),
    happening("colleague_answers", CONVERSATION, PERSON),
    happening(
        "channel_reports",
        CONVERSATION,
        st.integers(0, 3),
        st.sampled_from(["delivered", "read", "failed"]),
    ),
    happening("status_changes", CONVERSATION, st.sampled_from(["open", "pending", "resolved"])),
    happening("assignee_changes", CONVERSATION, st.sampled_from(["", "ana", "bruno"])),
    happening("reads_elsewhere", CONVERSATION, PERSON, st.integers(0, 8)),
    happening("unreads_elsewhere", CONVERSATION, PERSON),
    happening("drafts_elsewhere", CONVERSATION, PERSON, st.sampled_from(["", "a", "b"])),
    happening("sets_sound", PERSON, st.booleans()),
)
IN_A_TAB = (
    happening("opens", TAB, st.sampled_from([None, 0, 1, 2]), st.integers(0, 9)),
    happening("answers", TAB),
    happening("types", TAB, st.sampled_from(["", "x", "y"])),
    happening("marks_unread", TAB),
    happening("filters", TAB, st.sampled_from(FILTERS)),
    happening("searches", TAB, st.sampled_from(["", "patient 1", "0000 2"])),
    happening("scrolls", TAB, st.sampled_from(["earlier", "later"])),
    happening("looks", TAB, st.booleans(), st.booleans()),
    happening("reloads", TAB),
    happening("time_passes", TAB, st.sampled_from([20, 400, 1100, 5000])),
)
ON_THE_WAY = (
    happening("all_arrives"),
    happening("wires_hold", st.booleans()),
    happening("bus_holds", st.booleans()),
    happening("bus_drops", st.booleans()),
    happening("wire_delivers", TAB, st.sampled_from(LANES), st.integers(1, 4)),
    happening("wire_repeats", TAB),
    happening("server_answers", TAB, st.integers(1, 4)),
    happening("server_refuses", TAB),
    happening("is_cut", TAB),
    happening("comes_back", TAB),
)
HAPPENINGS = st.lists(st.one_of(*ON_THE_WAY, *ELSEWHERE, *IN_A_TAB), min_size=12, max_size=48)


@given(happenings=HAPPENINGS)
@PROPERTY
async def test_every_tab_ends_up_showing_what_a_fresh_load_would_show(
    new_clinics: Callable[[], Awaitable[Clinics]],
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    happenings: list[Any],
) -> None:
    note("\n".join(map(str, happenings)))
    async with begun(await new_clinics(), browser, monkeypatch) as world:
        for what, *details in happenings:
            await world.happen(what, *details)
        await world.check()

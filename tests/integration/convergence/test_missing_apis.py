"""What a browser may lack is never in the way: the list follows, and what is sent is stored."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clinic_chat.domain.queries.message_pages import messages_page
from tests.integration.convergence.tabs import DRIVER
from tests.integration.convergence.world import Page, World

if TYPE_CHECKING:
    pass

NAMES = re.findall(r'^  "([^"]+)":', Path(DRIVER.parent, "breakings.js").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
async def test_whatever_a_browser_lacks_the_list_follows_and_what_is_sent_is_stored(
    world: World, name: str
) -> None:
    page = world.pages[3] = Page(world, 3, "ana", "an odd device", (name,))
    page.path = f"/c/{world.conversations[0]}"
    await page.open()
    await world.all_arrives()
    # Away, where it tells of new messages.
    await page.do("look", focused=False, hidden=True)

    await world.patient_writes(1, 1)
    await world.new_patient_writes()
    await page.do("type", text="Bom d")
    await page.do("send", text="Bom dia")
    await world.all_arrives()
    await world.settles()

    result = (await page.do("vars")).result
    shown = result["shown"]
    assert result["queued"] == 0
    unread = {row["id"]: row["unread"] for row in shown["inbox"]["conversations"]}
    assert [unread[key] for key in world.conversations[1:]] == [3, 2, 1]
    assert shown["inbox"]["count_unread"] == len([n for n in unread.values() if n])
    (own,) = [row for row in shown["thread"]["messages"] if row["direction"] == "outbound"]
    assert (own["body"], own["status"]) == ("Bom dia", "sent")
    stored = await messages_page(world.scopes["channel"], world.conversations[0])
    assert [row.body for row in stored.messages if row.direction == "outbound"] == ["Bom dia"]
    assert page.attempts == 1


async def test_a_listener_that_fails_stops_nothing_and_nobody_else(world: World) -> None:
    page = world.pages[0]
    await page.do("sabotage")

    await world.new_patient_writes()
    await page.do("send", text="Bom dia")
    await page.cut()
    await page.do("online")
    await world.settles()

    shown = (await page.do("vars")).result["shown"]
    assert {row["id"] for row in shown["inbox"]["conversations"]} == set(world.conversations)
    assert [row["body"] for row in shown["thread"]["messages"]][-1] == "Bom dia"
    assert (await page.do("sabotaged")).result > 0
    assert (await page.do("second")).result == 1
    assert (await page.do("feed")).result == [3, "second", "third"]

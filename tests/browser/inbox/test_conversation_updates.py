"""Who deals with a conversation and where it stands: live for all, and never two at once."""

import asyncio
import re
from contextlib import closing
from uuid import UUID

from playwright.async_api import Locator, Page, expect

from clinic_chat.storage.sqlite.library import sqlite3
from tests.browser.conftest import Visit
from tests.support.browser.pages import menus_loaded, row, rows
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.network.proxy import Proxy
from tests.support.people import ANA, BRUNO, DANIEL, RENATA
from tests.support.servers.fixtures import SitDown
from tests.support.servers.server import Server

LIST = "[data-testid=conversation-list]"
HEARD_LATE_SECONDS = 1.5
STAFF = (ANA, BRUNO, RENATA, DANIEL)


async def test_status_and_assignee_change_for_everybody(visit: Visit, channel: Channel) -> None:
    talk = await Talk.begin(channel)
    ana = await talk.opened_by(visit, ANA)
    bruno = await talk.opened_by(visit, BRUNO)

    await _choose(ana, "assignee", "Atribuir a mim")
    await expect(_assignee(ana)).to_have_text("Você")
    await expect(_assignee(bruno)).to_have_text("Ana Beatriz Moura")
    await _choose(bruno, "assignee", "Renata Quintela")
    await expect(_assignee(ana)).to_have_text("Renata Quintela")
    await _choose(ana, "assignee", "Remover responsável")
    for page in (ana, bruno):
        await expect(_assignee(page)).to_have_text("Sem responsável")

    for name, status in (("Pendente", "pending"), ("Resolvida", "resolved")):
        await _choose(ana, "status", name)
        await expect(bruno.get_by_test_id("status")).to_have_attribute("data-status", status)
        for page in (ana, bruno):
            await expect(row(page, talk.name)).to_contain_text(name)
    # The patient's answer opens it again; a colleague's would not.
    await talk.goes_on("Só mais uma pergunta")
    for page in (ana, bruno):
        await expect(page.get_by_test_id("status")).to_have_attribute("data-status", "open")
        await expect(row(page, talk.name)).not_to_contain_text("Resolvida")


async def test_of_two_who_take_a_conversation_the_second_is_told_who_has_it(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await Talk.begin(channel)
    async with Proxy(server.port) as proxy:
        ana = await talk.opened_by(visit, ANA, at=proxy)
        bruno = await talk.opened_by(visit, BRUNO, at=proxy)
        for page in (ana, bruno):
            await menus_loaded(page)
        # Both choose before either can have heard of the other.
        proxy.latency = HEARD_LATE_SECONDS
        for page in (ana, bruno):
            await page.get_by_test_id("assignee").click()
            await page.get_by_role("menuitem", name="Atribuir a mim").click()

        await expect(_assignee(ana)).to_have_text(re.compile("^(Você|Bruno Tavares)$"))
        if await _assignee(ana).inner_text() == "Você":
            loser, winner = bruno, "Ana Beatriz Moura"
        else:
            loser, winner = ana, "Bruno Tavares"
        await expect(_assignee(loser)).to_have_text(winner)
        await expect(loser.get_by_test_id("notices")).to_contain_text(
            f"{winner} já assumiu esta conversa."
        )


async def test_who_takes_what_was_set_free_meanwhile_is_told_that_it_is_nobodys(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await Talk.begin(channel)
    async with Proxy(server.port) as proxy:
        ana = await talk.opened_by(visit, ANA, at=proxy)
        bruno = await talk.opened_by(visit, BRUNO)
        await _choose(bruno, "assignee", "Atribuir a mim")
        await expect(_assignee(ana)).to_have_text("Bruno Tavares")
        for page in (ana, bruno):
            await menus_loaded(page)
            await page.get_by_test_id("assignee").click()
        proxy.latency = HEARD_LATE_SECONDS

        await ana.get_by_role("menuitem", name="Atribuir a mim").click()
        await bruno.get_by_role("menuitem", name="Remover responsável").click()

        await expect(_assignee(ana)).to_have_text("Sem responsável")
        await expect(ana.get_by_test_id("notices")).to_contain_text(
            "Outra pessoa deixou esta conversa sem responsável."
        )


async def test_of_many_only_one_takes_it_and_the_others_are_told(
    channel: Channel, server: Server, sit_down: SitDown
) -> None:
    talk = await Talk.begin(channel)
    people = [await sit_down(who, talk.conversation_id) for who in STAFF]
    ids = _staff_ids(server)

    answers = await asyncio.gather(
        *(
            colleague.does("conversation:assign", assigneeId=ids[who], expected="")
            for who, colleague in zip(STAFF, people, strict=True)
        )
    )

    (holder,) = [who for who, answer in zip(STAFF, answers, strict=True) if "ok" in answer]
    refusals = [answer["error"] for answer in answers if "error" in answer]
    assert [refusal["code"] for refusal in refusals] == ["already_assigned"] * 3
    assert {refusal["name"].split()[0].lower() for refusal in refusals} == {holder.split("@")[0]}


async def test_filters_and_their_counts_follow_live(
    visit: Visit, channel: Channel, server: Server
) -> None:
    talk = await Talk.begin(channel)
    ana, bruno = await visit(ANA), await talk.opened_by(visit, BRUNO)
    mine, unassigned = await _count(ana, "mine"), await _count(ana, "unassigned")
    everyone = await _count(ana, "all")

    await _choose(bruno, "assignee", "Ana Beatriz Moura")
    await expect(_counted(ana, "mine")).to_have_text(str(mine + 1))
    await expect(_counted(ana, "unassigned")).to_have_text(str(unassigned - 1))
    await expect(_counted(ana, "all")).to_have_text(str(everyone))

    await ana.get_by_test_id("filter-unassigned").click()
    await expect(row(ana, talk.name)).to_have_count(0)
    await ana.get_by_test_id("filter-mine").click()
    await expect(row(ana, talk.name)).to_be_visible()
    await ana.get_by_test_id("filter-status").select_option("open")
    await expect(row(ana, talk.name)).to_be_visible()
    open_and_mine = _assigned(server, ANA, "open")
    await expect(_counted(ana, "mine")).to_have_text(str(open_and_mine))
    await expect(rows(ana)).to_have_count(open_and_mine)

    await _choose(bruno, "status", "Pendente")
    await expect(row(ana, talk.name)).to_have_count(0)
    assert _assigned(server, ANA, "open") == open_and_mine - 1
    await expect(_counted(ana, "mine")).to_have_text(str(open_and_mine - 1))
    await ana.get_by_test_id("filter-status").select_option("pending")
    await expect(row(ana, talk.name)).to_be_visible()


async def test_a_conversation_leaves_the_list_and_the_others_do_not_jump(
    visit: Visit, channel: Channel
) -> None:
    talks = [await Talk.begin(channel) for _ in range(12)]
    ana, bruno = await visit(ANA), await talks[-2].opened_by(visit, BRUNO)
    await ana.get_by_test_id("filter-unassigned").click()
    for talk in talks:
        await expect(row(ana, talk.name)).to_be_attached()
    # The newest are at the top, above what Ana looks at now.
    looked_at = talks[2]
    await ana.locator(LIST).evaluate("(list) => { list.scrollTop = 200; }")
    before = await _top(ana, looked_at.name)

    await _choose(bruno, "assignee", "Atribuir a mim")
    await expect(row(ana, talks[-2].name)).to_have_count(0)
    assert abs(await _top(ana, looked_at.name) - before) <= 2
    arrival = await Talk.begin(channel)
    await expect(row(ana, arrival.name)).to_be_attached()
    assert abs(await _top(ana, looked_at.name) - before) <= 2


def _staff_ids(server: Server) -> dict[str, str]:
    """The ids of all staff by email."""
    with closing(sqlite3.connect(server.database)) as database:
        found = database.execute("SELECT email, id FROM users").fetchall()
    return {email: str(UUID(key)) for email, key in found}


def _assigned(server: Server, who: str, status: str) -> int:
    """How many conversations of this status are somebody's, as the database has it."""
    with closing(sqlite3.connect(server.database)) as database:
        (number,) = database.execute(
            "SELECT count(*) FROM conversations JOIN users ON users.id = assignee_id "
            "WHERE email = ? AND status = ?",
            (who, status),
        ).fetchone()
    return int(number)


def _assignee(page: Page) -> Locator:
    return page.get_by_test_id("assignee")


def _counted(page: Page, name: str) -> Locator:
    return page.get_by_test_id(f"filter-{name}").get_by_test_id("filter-count")


async def _count(page: Page, name: str) -> int:
    """How many conversations a filter says it has."""
    return int(await _counted(page, name).inner_text())


async def _choose(page: Page, menu: str, name: str) -> None:
    """Choose from a menu in the thread's header."""
    # A menu that is still closing would take the click for its own.
    await expect(page.get_by_role("menu")).to_have_count(0)
    await page.get_by_test_id(menu).click()
    await page.get_by_role("menuitem", name=name).click()


async def _top(page: Page, name: str) -> float:
    """Where a patient's row is on the screen."""
    box = await row(page, name).bounding_box()
    assert box
    return box["y"]

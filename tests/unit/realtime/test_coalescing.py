"""Comings and goings: the first is told at once, a crowd's are told together, in order."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from clinic_chat.realtime.presence.coalescing import COALESCE_SECONDS, Coalescer


class _Clinic:
    """Hears what is told, and when."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, UUID, str, int]] = []
        self.news = asyncio.Condition()

    async def tell(self, clinic_id: UUID, event: str, data: dict[str, Any]) -> None:
        now = asyncio.get_running_loop().time()
        async with self.news:
            self.heard.append((now, clinic_id, event, data["number"]))
            self.news.notify_all()

    async def hears(self, count: int) -> None:
        async with asyncio.timeout(10), self.news:
            await self.news.wait_for(lambda: len(self.heard) >= count)


async def test_a_crowd_is_told_together_behind_the_first() -> None:
    clinic, here, there = _Clinic(), uuid4(), uuid4()
    coalescer = Coalescer(clinic.tell)
    begun = asyncio.get_running_loop().time()

    await coalescer.tell(here, "user:online", {"number": 0})
    await clinic.hears(1)
    assert clinic.heard[0][0] - begun < COALESCE_SECONDS
    for number in range(1, 6):
        await coalescer.tell(there if number == 3 else here, "user:online", {"number": number})
    assert len(clinic.heard) == 1
    await clinic.hears(6)

    assert [number for *_, number in clinic.heard] == list(range(6))
    assert [clinic_id for _, clinic_id, *_ in clinic.heard] == [here] * 3 + [there] + [here] * 2
    assert all(when - begun >= COALESCE_SECONDS for when, *_ in clinic.heard[1:])


async def test_who_comes_after_a_quiet_while_is_told_of_at_once() -> None:
    clinic, here = _Clinic(), uuid4()
    coalescer = Coalescer(clinic.tell)
    await coalescer.tell(here, "user:online", {"number": 0})
    await coalescer.tell(here, "user:offline", {"number": 1})
    await clinic.hears(2)
    # The window after the second one has to pass with nothing in it.
    quiet = asyncio.Event()
    asyncio.get_running_loop().call_later(2 * COALESCE_SECONDS, quiet.set)
    await quiet.wait()

    begun = asyncio.get_running_loop().time()
    await coalescer.tell(here, "user:online", {"number": 2})
    await clinic.hears(3)
    assert clinic.heard[-1][0] - begun < COALESCE_SECONDS

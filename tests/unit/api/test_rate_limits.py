"""Rate limits and what a client address is counted by."""

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from clinic_chat.web.rate_limits import SITE_FACTOR, Limits, SlidingWindows, address_key

# Limits slide over the clock's minutes; starting here, no test sees a minute end.
EARLY_IN_A_MINUTE = datetime(2030, 5, 6, 12, 0, 5, tzinfo=UTC)


@time_machine.travel(EARLY_IN_A_MINUTE)
async def test_hits_within_the_limit_pass_and_more_must_wait() -> None:
    limits = Limits()
    waits = [await limits.hit("send", "ana", 3) for _ in range(5)]

    assert waits[:3] == [0, 0, 0]
    assert all(1 <= wait <= 60 for wait in waits[3:])


async def test_a_refused_hit_may_come_back_after_its_wait() -> None:
    limits = Limits()
    with time_machine.travel(EARLY_IN_A_MINUTE) as clock:
        wait = [await limits.hit("send", "ana", 3) for _ in range(4)][-1]
        clock.shift(wait)
        # The old minute still weighs; one of its three places is free after another 20 s.
        clock.shift(60 / 3)

        assert await limits.hit("send", "ana", 3) == 0


async def test_what_is_left_is_told_and_comes_back() -> None:
    limits = Limits()
    with time_machine.travel(EARLY_IN_A_MINUTE, tick=False) as clock:
        spent = [await limits.spend("api", "token", 3) for _ in range(4)]
        clock.shift(60)
        # Of the minute before, 55 seconds still weigh: two of the three, and a bit.
        later = await limits.spend("api", "token", 4)

    assert [(one.limit, one.remaining, one.reset, one.wait) for one in spent] == [
        (3, 2, 55, 0),
        (3, 1, 55, 0),
        (3, 0, 55, 0),
        (3, 0, 55, 55),
    ]
    assert (later.remaining, later.reset, later.wait) == (0, 55, 0)


@time_machine.travel(EARLY_IN_A_MINUTE)
async def test_every_name_and_key_has_its_own_count() -> None:
    limits = Limits()
    waits = [await limits.hit("send", "ana", 1) for _ in range(2)]

    assert waits[1] >= 1
    assert await limits.hit("send", "bruno", 1) == 0
    assert await limits.hit("login", "ana", 1) == 0


@time_machine.travel(EARLY_IN_A_MINUTE)
async def test_without_redis_the_process_counts_by_itself() -> None:
    limits = Limits("redis://127.0.0.1:1/0")
    waits = [await limits.hit("send", "ana", 2) for _ in range(3)]
    await limits.close()

    assert waits[:2] == [0, 0]
    assert waits[2] >= 1


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_an_address_is_counted_by_what_one_subscriber_holds(host: str | None, key: str) -> None:
    assert address_key(host) == key


@time_machine.travel(EARLY_IN_A_MINUTE)
async def test_an_ipv6_site_is_counted_as_one_beside_its_parts() -> None:
    limits = Limits()
    hosts = [f"2001:db8:1:{number:x}::1" for number in range(100)]
    waits = [await limits.hit_address("login", host, 2) for host in hosts]

    assert waits[: 2 * SITE_FACTOR] == [0] * 2 * SITE_FACTOR
    assert all(waits[2 * SITE_FACTOR :])
    assert await limits.hit_address("login", "2001:db8:2::1", 2) == 0


@time_machine.travel(EARLY_IN_A_MINUTE)
async def test_all_addresses_together_have_a_limit() -> None:
    limits = Limits()
    waits = [await limits.hit_address("login", f"192.0.2.{n}", 5, in_all=10) for n in range(12)]

    assert waits[:10] == [0] * 10
    assert all(waits[10:])


@time_machine.travel(EARLY_IN_A_MINUTE)
def test_a_flood_of_keys_is_kept_up_to_a_bound_and_costs_no_one_more() -> None:
    windows = SlidingWindows(max_keys=1_000)
    assert windows.hit(("send", "ana"), 1) == 0
    looked_at = 0

    class Counting(OrderedDict[Any, Any]):
        """Notices when somebody looks through all keys."""

        def __iter__(self) -> Any:
            nonlocal looked_at
            looked_at += 1
            return super().__iter__()

    windows._windows = Counting(windows._windows)
    for number in range(5_000):
        windows.hit(("send", f"{number}"), 1)
        windows.hit(("send", "bruno"), 10_000)

    assert len(windows) == 1_000
    assert looked_at == 0
    # Who is hit all the time is not forgotten.
    assert windows.hit(("send", "bruno"), 5_000) >= 1


async def test_the_window_slides() -> None:
    limits = Limits()
    with time_machine.travel(EARLY_IN_A_MINUTE, tick=False) as clock:
        assert [await limits.hit("send", "ana", 60) for _ in range(60)] == [0] * 60
        clock.shift(85)
        # 30 s into the next minute, half of the hits before are still within 60 s.
        assert [await limits.hit("send", "ana", 60) for _ in range(31)] == [0] * 30 + [30]

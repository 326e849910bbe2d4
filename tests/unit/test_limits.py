"""Rate limits and what a client address is counted by."""

from datetime import UTC, datetime

import pytest
import time_machine

from clinic_chat.limits import Limits, address_key

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

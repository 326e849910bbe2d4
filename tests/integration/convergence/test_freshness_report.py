"""What a tab tells of its checks: once each, in whole milliseconds, and how long it was stale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clinic_chat.realtime.commands.feeds import CHECK_MAXIMUM_MS

if TYPE_CHECKING:
    import pytest

    from tests.integration.convergence.tabs import Reaction
    from tests.integration.convergence.world import Page, World


def checks_of(page: Page, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a tab says from now on with each of its checks, beside the check's number."""
    told: list[dict[str, Any]] = []
    do = page.do

    async def noting(what: str, **details: Any) -> Reaction:
        reaction = await do(what, **details)
        for sent in reaction.sent:
            if sent.event == "feed:check":
                told.append({k: v for k, v in sent.data.items() if k not in ("nonce", "author")})
        return reaction

    monkeypatch.setattr(page, "do", noting)
    return told


async def test_a_tab_that_is_current_tells_what_its_checks_took(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = checks_of(world.pages[0], monkeypatch)
    for _ in range(3):
        await world.settles()

    # One that was asked again before its answer has taken no time that is known.
    took = [report["tookMs"] for report in told if report]
    assert len(took) >= 2
    assert all(set(report) <= {"tookMs"} for report in told)
    assert all(type(ms) is int and 0 <= ms <= CHECK_MAXIMUM_MS for ms in took)


async def test_a_tab_that_was_away_tells_once_for_how_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = world.pages[0]
    await world.settles()
    told = checks_of(page, monkeypatch)
    await page.cut()
    for _ in range(3):
        await world.settles()

    (away,) = [report["staleMs"] for report in told if "staleMs" in report]
    assert type(away) is int
    assert 0 < away < 3 * 15_000

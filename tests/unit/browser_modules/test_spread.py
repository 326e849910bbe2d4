"""Tabs that lost the same server do not come back in the same instant (mattermost #10960)."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

BUN = Path(sys.executable).parent / "bun"
SCRIPT = Path(__file__).parent / "spread.js"
TABS = 500
DELAYS_MS = [1000, 2000, 4000, 8000, 8000, 8000]
JITTER = 0.2
SLOTS = 10


@pytest.fixture(scope="module")
def decided() -> dict[str, Any]:
    done = subprocess.run(
        [BUN, SCRIPT, str(TABS), str(len(DELAYS_MS))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_delay_is_that_of_the_schedule_and_at_most_a_fifth_more(
    decided: dict[str, Any],
) -> None:
    for delays, delay in zip(decided["delays"], DELAYS_MS, strict=True):
        assert delay <= min(delays)
        assert max(delays) <= delay * (1 + JITTER)


def test_the_tabs_are_spread_evenly_over_that_fifth(decided: dict[str, Any]) -> None:
    for delays, delay in zip(decided["delays"], DELAYS_MS, strict=True):
        width = delay * JITTER / SLOTS
        slots = Counter(min(int((found - delay) / width), SLOTS - 1) for found in delays)
        # An even share is a tenth of them; chance gives some slots more, but never twice as many.
        assert max(slots.values()) < 2 * TABS / SLOTS


def test_after_two_failures_polling_and_websockets_take_turns(decided: dict[str, Any]) -> None:
    assert decided["transports"] == [
        *("websocket", "websocket"),
        *("polling", "websocket", "polling", "websocket"),
    ]

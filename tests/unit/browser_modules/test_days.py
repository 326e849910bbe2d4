"""Which day a message belongs to does not hang on how a browser writes dates."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BUN = Path(sys.executable).parent / "bun"
SCRIPT = Path(__file__).parent / "days.js"
BROWSER_MODULES = Path(__file__).parents[3] / "assets" / "live"
DAYS = {
    ("2026-11-27T12:00:00Z", "UTC"): "2026-11-27",
    ("2026-11-27T02:59:59.999Z", "America/Sao_Paulo"): "2026-11-26",
    ("2026-11-27T03:00:00Z", "America/Sao_Paulo"): "2026-11-27",
    # Not a whole hour from UTC, and a quarter.
    ("2026-11-26T18:29:59Z", "Asia/Kolkata"): "2026-11-26",
    ("2026-11-26T18:30:00Z", "Asia/Kolkata"): "2026-11-27",
    ("2026-11-26T18:14:59Z", "Asia/Kathmandu"): "2026-11-26",
    ("2026-11-26T18:15:00Z", "Asia/Kathmandu"): "2026-11-27",
    # Summer time began at midnight, which was one o'clock.
    ("2018-11-04T02:59:59Z", "America/Sao_Paulo"): "2018-11-03",
    ("2018-11-04T03:00:00Z", "America/Sao_Paulo"): "2018-11-04",
    ("2027-01-01T00:00:00+00:00", "America/New_York"): "2026-12-31",
    ("2026-03-01T09:05:00.123456+00:00", "UTC"): "2026-03-01",
}


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What the module says in a browser that writes 11/27/2026."""
    done = subprocess.run(
        [BUN, SCRIPT, json.dumps(list(DAYS))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_day_is_put_together_from_its_parts(found: dict[str, Any]) -> None:
    assert found["written"] == "11/27/2026"
    assert found["days"] == list(DAYS.values())
    assert found["again"] == list(DAYS.values())


def test_days_are_counted(found: dict[str, Any]) -> None:
    assert found["between"] == 4


def test_a_time_zone_that_the_browser_does_not_know_breaks_nothing(found: dict[str, Any]) -> None:
    assert found["unknown"].startswith("2026-11-2")


@pytest.mark.parametrize("written", ["toLocale", "toDateString", "toTimeString", "Intl.Collator"])
def test_no_browser_module_takes_text_of_the_browsers_making(written: str) -> None:
    modules = list(BROWSER_MODULES.rglob("*.js"))

    assert modules
    for module in modules:
        assert written not in module.read_text(), module


def test_only_components_write_dates_and_numbers() -> None:
    """What `format(…).format(…)` returns is drawn, and nothing else is done with it."""
    writing = {
        module.name for module in BROWSER_MODULES.rglob("*.js") if ").format(" in module.read_text()
    }

    assert writing == {"time.js", "numbers.js"}

"""Timers of the page that a test does without, and how long they are."""

import re

from clinic_chat.settings import PROJECT_ROOT


def milliseconds(module: str, name: str) -> int:
    """A duration that a module of assets/live names, so that its test follows it."""
    source = (PROJECT_ROOT / "assets" / "live" / module).read_text()
    found = re.search(rf"^(?:export )?const {name} = ([\d_]+);", source, re.MULTILINE)
    assert found, f"{module} has no {name}"
    return int(found[1])


def never_after(ms: int) -> str:
    """A script of a page in which timers of exactly `ms` milliseconds never end."""
    return f"""
        (() => {{
          const timeout = window.setTimeout;
          window.setTimeout = (run, ms, ...rest) => (ms === {ms} ? 0 : timeout(run, ms, ...rest));
        }})();
    """

"""Every package that is installed has an exact version, and one only."""

import re

from clinic_chat.settings import PROJECT_ROOT

PIN = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)(?: *;.*)?")


def pins(name: str) -> dict[str, str]:
    """Package → version of a file; every line that is no comment is a pin."""
    lines = (PROJECT_ROOT / name).read_text().splitlines()
    found = [PIN.fullmatch(line) for line in lines if line and not line.startswith("#")]
    assert all(found), name
    return {re.sub(r"[-_.]+", "-", pin[1]).lower(): pin[2] for pin in found if pin}


def test_what_the_requirements_need_in_turn_is_pinned_too() -> None:
    wanted = pins("requirements.txt") | pins("tests/requirements.txt")
    locked = pins("constraints.txt")

    assert {name: locked.get(name) for name in wanted} == wanted
    assert len(locked) > 2 * len(wanted)

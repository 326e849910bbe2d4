"""Every package that is installed has an exact version, and in the image its files' hashes."""

import re

from clinic_chat.settings import PROJECT_ROOT

HASH = re.compile(r" +--hash=sha256:[0-9a-f]{64}( \\)?")
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


def test_the_image_has_the_same_versions_with_hashes() -> None:
    lock = [
        line
        for line in (PROJECT_ROOT / "deploy/requirements.lock").read_text().splitlines()
        if not line.startswith("#")
    ]
    hashes = [line for line in lock if line.startswith(" ")]
    packages = [line.removesuffix(" \\") for line in lock if line not in hashes]
    constraints = (PROJECT_ROOT / "constraints.txt").read_text().splitlines()

    # The tests may need on every system what the server needs on one.
    versions = {line.partition(" ; ")[0] for line in packages}
    assert versions <= {line.partition(" ; ")[0] for line in constraints}
    wanted = pins("requirements.txt")
    assert versions >= {f"{name}=={version}" for name, version in wanted.items()}
    assert len(hashes) >= len(packages)
    assert all(map(HASH.fullmatch, hashes))

"""Every variable that the style sheets use is there."""

import re
from pathlib import Path

from clinic_chat.settings import PROJECT_ROOT
from clinic_chat.ui.build.plugin import SCALES, SEE_THROUGH

TEXT = "\n".join(
    sheet.read_text("utf-8") for sheet in Path(PROJECT_ROOT, "assets/styles").rglob("*.css")
)
COLORS = {f"--{scale}-{step}" for scale in SCALES for step in range(1, 13)} | {
    f"--{scale}-a{step}" for scale in SEE_THROUGH for step in range(1, 13)
}
# Set by the library of menus beside what it shows.
BY_LIBRARY = {
    "--radix-dropdown-menu-content-available-height",
    "--radix-dropdown-menu-content-available-width",
}


def test_what_is_used_is_defined_and_what_is_defined_is_used() -> None:
    used = set(re.findall(r"var\((--[\w-]+)", TEXT))
    defined = set(re.findall(r"(?<![\w(-])(--[\w-]+):", TEXT))

    assert used - defined == (used & COLORS) | BY_LIBRARY
    assert defined - used == set()


def test_of_each_scale_something_is_used() -> None:
    assert all(f"var(--{scale}-" in TEXT for scale in SCALES)
    assert all(f"var(--{scale}-a" in TEXT for scale in SEE_THROUGH)

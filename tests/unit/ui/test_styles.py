"""The style sheets keep to what docs/screens.md says of all of them."""

import re
from collections.abc import Iterator

import pytest

from clinic_chat.settings import PROJECT_ROOT
from clinic_chat.ui.components.theme import SHEETS

FOLDER = PROJECT_ROOT / "assets" / "styles"
HOVER = "@media (hover: hover)"


def rules(css: str) -> Iterator[tuple[str, list[str]]]:
    """Each rule's selector, and the conditions that it stands in."""
    around: list[str] = []
    for prelude, brace in re.findall(
        r"([^{};]*)([{};])", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    ):
        if brace == "{":
            yield prelude.strip(), list(around)
            around.append(prelude.strip())
        elif brace == "}":
            around.pop()


def test_every_sheet_is_loaded() -> None:
    there = [str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.css")]

    assert sorted(there) == sorted(SHEETS)


@pytest.mark.parametrize("sheet", SHEETS)
def test_nothing_looks_hovered_over_after_a_finger_pressed_it(sheet: str) -> None:
    css = (FOLDER / f"{sheet}.css").read_text()

    assert [
        selector
        for selector, around in rules(css)
        if ":hover" in selector and not selector.startswith("@") and HOVER not in around
    ] == []


@pytest.mark.parametrize("sheet", SHEETS)
def test_no_focus_is_without_an_outline_where_colours_are_forced(sheet: str) -> None:
    # A see-through outline is drawn there; a shadow is not.
    assert "outline: none" not in (FOLDER / f"{sheet}.css").read_text()


@pytest.mark.parametrize("sheet", SHEETS)
def test_no_rule_is_nested_in_another(sheet: str) -> None:
    css = (FOLDER / f"{sheet}.css").read_text()

    assert [
        selector
        for selector, around in rules(css)
        if any(not outer.startswith("@") for outer in around)
    ] == []

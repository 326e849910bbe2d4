"""The style sheets keep to what docs/screens.md says of all of them."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from clinic_chat.settings import PROJECT_ROOT
from clinic_chat.ui.components.theme import SHEETS

FOLDER = PROJECT_ROOT / "assets" / "styles"
HOVER = "@media (hover: hover)"
# The name that the classes of a sheet begin with, by the sheet.
NAMES = {sheet: Path(sheet).name.replace("_", "-") for sheet in SHEETS}
# What any element can have, wherever it is; everything else belongs to a component.
FOR_ANY_ELEMENT = {"sr-only", "text-quiet"}
# On the root element: the theme.
THEME = "dark"
# What is on the paper is decided in one place, for every component.
PRINT = "print"
COMPONENTS = [sheet for sheet in SHEETS if sheet not in ("tokens", "base", PRINT)]
CLASS = re.compile(r"\.([a-z][\w-]*)")
CLASS_NAME = re.compile(r'\bclassName(?::| =) "([^"]*)"')
SELECTOR = re.compile(
    r"""(?:\b(?:locator|querySelector(?:All)?|closest|matches)\(\s*f?|\bconst [A-Z_]+ = )"""
    r"""(["'`])((?:(?!\1).)*)\1"""
)


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


def selectors(sheet: str) -> list[str]:
    """Each selector of a sheet."""
    return [
        selector
        for prelude, around in rules((FOLDER / f"{sheet}.css").read_text("utf-8"))
        if not prelude.startswith("@") and not any("@keyframes" in outer for outer in around)
        # Not at the commas inside of parentheses.
        for selector in re.split(r",\s*(?![^(]*\))", prelude)
    ]


def classes(selector: str) -> list[str]:
    """The classes of a selector, in its order, without the theme."""
    return [name for name in CLASS.findall(selector) if name != THEME]


def home(name: str) -> str:
    """The sheet that a class belongs to, or nothing: of `message-list-…` it is `message_list`."""
    if name in FOR_ANY_ELEMENT:
        return "base"
    fitting = [sheet for sheet in SHEETS if f"{name}-".startswith(f"{NAMES[sheet]}-")]
    return max(fitting, key=lambda sheet: len(NAMES[sheet]), default="")


def defined() -> set[str]:
    """The classes that the sheets they belong to give a look."""
    return {
        name
        for sheet in SHEETS
        for selector in selectors(sheet)
        for name in classes(selector)
        if home(name) == sheet
    }


def given() -> set[str]:
    """The classes that elements have, with `*` for what is only known when they are made."""
    return {
        name for text in (*_given_in_python(), *_given_in_javascript()) for name in text.split()
    }


def _given_in_python() -> Iterator[str]:
    for path in sorted((PROJECT_ROOT / "clinic_chat" / "ui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "class_name":
                parts = node.value.values if isinstance(node.value, ast.JoinedStr) else [node.value]
                text = "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts
                )
                # Otherwise it could be every class.
                assert not re.search(r"(^| )\*", text), f"{path}: {text}"
                yield text


def _given_in_javascript() -> Iterator[str]:
    for code in _texts("assets/live", "*.js"):
        found = CLASS_NAME.findall(code)
        assert len(found) == code.count("className"), "not written out"
        yield from found


def _texts(folder: str, pattern: str) -> Iterator[str]:
    for path in sorted((PROJECT_ROOT / folder).rglob(pattern)):
        yield path.read_text("utf-8")


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


def test_no_two_sheets_have_one_name() -> None:
    assert len(set(NAMES.values())) == len(SHEETS)


@pytest.mark.parametrize("sheet", COMPONENTS)
def test_every_selector_begins_with_a_class_of_its_component(sheet: str) -> None:
    assert [
        selector
        for selector in selectors(sheet)
        if not classes(selector) or home(classes(selector)[0]) != sheet
    ] == []


@pytest.mark.parametrize("sheet", COMPONENTS)
def test_every_animation_begins_with_its_component(sheet: str) -> None:
    css = (FOLDER / f"{sheet}.css").read_text("utf-8")

    assert [name for name in re.findall(r"@keyframes ([\w-]+)", css) if home(name) != sheet] == []


def test_base_has_no_component() -> None:
    assert {name for selector in selectors("base") for name in classes(selector)} == FOR_ANY_ELEMENT


def test_every_class_has_a_look_and_every_look_a_use() -> None:
    looks, uses = defined(), given()
    mentioned = {
        name for sheet in SHEETS for selector in selectors(sheet) for name in classes(selector)
    }

    assert {use for use in uses if not any(fnmatch(look, use) for look in looks)} == set()
    assert {look for look in looks if not any(fnmatch(look, use) for use in uses)} == set()
    assert mentioned - looks == set()


@pytest.mark.parametrize(("folder", "pattern"), [("assets/live", "*.js"), ("tests", "*.py")])
def test_what_is_looked_for_by_its_class_is_there(folder: str, pattern: str) -> None:
    looked_for = {
        name
        for code in _texts(folder, pattern)
        for _, selector in SELECTOR.findall(code)
        # Without what Python and JavaScript put in.
        for name in classes(re.sub(r"\{[^}]*\}", "", selector))
    }

    assert looked_for
    assert looked_for - defined() == set()

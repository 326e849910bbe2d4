"""The catalogs hold exactly the texts that the screens use, in every language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from clinic_chat.domain.accounts.users import LOCALES
from clinic_chat.settings import PROJECT_ROOT
from clinic_chat.ui.i18n import error_texts
from clinic_chat.ui.i18n.catalogs import read_catalog

SCREENS = PROJECT_ROOT / "clinic_chat" / "ui"
BROWSER_MODULES = PROJECT_ROOT / "assets" / "live"
ERROR_TEXTS = (
    error_texts.COMMANDS,
    error_texts.UNSENT,
    error_texts.SIGN_IN,
    error_texts.PASSKEYS,
    error_texts.LINKS,
    error_texts.SETUP,
    error_texts.ADMINISTRATION,
    error_texts.PROVIDER_CHECK,
)
PLACEHOLDER = re.compile(r"\{(\w+)\}")
JS_CALL = re.compile(r"""\bt\(\s*(?P<quote>["'`])(?P<text>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""")
JS_ANY_CALL = re.compile(r"(?<![\w.])t\(")


def python_calls(path: Path) -> Iterator[ast.Call]:
    """The calls of `t` in a Python module; those with the texts of errors are told apart."""
    if path == Path(error_texts.__file__):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
            yield node


def literal(call: ast.Call) -> str:
    """The text of a call of `t`."""
    match call.args:
        case [ast.Constant(value=str() as text)]:
            return text
    raise AssertionError(f"t() takes one literal text: {ast.unparse(call)}")


def used_texts() -> set[str]:
    """Every text that a screen or a browser module shows."""
    screens = {literal(call) for path in SCREENS.rglob("*.py") for call in python_calls(path)}
    modules = {
        ast.literal_eval(f'"""{found["text"]}"""')
        for path in BROWSER_MODULES.rglob("*.js")
        for found in JS_CALL.finditer(path.read_text())
    }
    assert screens
    assert modules
    return screens.union(modules, *(texts.values() for texts in ERROR_TEXTS))


def catalog(locale: str) -> dict[str, Message]:
    """The messages of a catalog by their text."""
    return {_forms(m.id)[0]: m for m in read_catalog(locale) if m.id}


def _forms(value: object) -> list[str]:
    return list(value) if isinstance(value, (list, tuple)) else [str(value)]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_on_the_screens_is_in_the_catalog(locale: str) -> None:
    assert sorted(used_texts() - set(catalog(locale))) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_the_catalog_has_no_text_that_is_not_used(locale: str) -> None:
    assert sorted(set(catalog(locale)) - used_texts()) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated_and_approved(locale: str) -> None:
    unfinished = [
        text
        for text, message in catalog(locale).items()
        if message.fuzzy or not all(form.strip() for form in _forms(message.string))
    ]

    assert unfinished == []


@pytest.mark.parametrize("locale", LOCALES)
def test_a_plural_has_every_form_of_its_language(locale: str) -> None:
    forms = read_catalog(locale).num_plurals

    for text, message in catalog(locale).items():
        if isinstance(message.id, (list, tuple)):
            assert len(_forms(message.string)) == forms, text


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_has_the_placeholders_of_its_text(locale: str) -> None:
    for text, message in catalog(locale).items():
        wanted = set(PLACEHOLDER.findall(text))
        for form in _forms(message.string):
            # The form for one may say "a" instead of the number.
            optional = {"n"} if isinstance(message.id, (list, tuple)) else set()
            found = set(PLACEHOLDER.findall(form))
            assert wanted - optional <= found <= wanted, text


def test_a_screen_gives_every_placeholder_a_value() -> None:
    for path in SCREENS.rglob("*.py"):
        for call in python_calls(path):
            text = literal(call)
            given = {keyword.arg for keyword in call.keywords}
            needed = set(PLACEHOLDER.findall(text))
            assert needed <= given <= needed | {"n"}, f"{path.name}: {text}"


def test_a_browser_module_names_its_texts_literally() -> None:
    for path in BROWSER_MODULES.rglob("*.js"):
        source = path.read_text()
        calls, literals = JS_ANY_CALL.findall(source), JS_CALL.findall(source)
        assert len(calls) == len(literals), path.name

"""Each catalog holds exactly the texts that its screens use first, in every language."""

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
from clinic_chat.ui.i18n.text_domains import TextDomain

SCREENS = PROJECT_ROOT / "clinic_chat" / "ui"
BROWSER_MODULES = PROJECT_ROOT / "assets" / "live"
# Of clinic_chat/ui and of assets/live; the others are of the main domain.
FOLDERS = {
    "sign_in": TextDomain.SIGN_IN,
    "join": TextDomain.SIGN_IN,
    "setup": TextDomain.SIGN_IN,
    "settings": TextDomain.SETTINGS,
}
ERROR_TEXTS = (
    (error_texts.COMMANDS, TextDomain.MAIN),
    (error_texts.UNSENT, TextDomain.MAIN),
    (error_texts.SIGN_IN, TextDomain.SIGN_IN),
    (error_texts.PASSKEYS, TextDomain.SIGN_IN),
    (error_texts.LINKS, TextDomain.SIGN_IN),
    (error_texts.SETUP, TextDomain.SIGN_IN),
    (error_texts.ADMINISTRATION, TextDomain.SETTINGS),
    (error_texts.PROVIDER_CHECK, TextDomain.SETTINGS),
    (error_texts.WEBHOOK_ATTEMPT, TextDomain.SETTINGS),
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


def uses() -> Iterator[tuple[str, TextDomain]]:
    """Every text that a screen or a browser module shows, with the domain of that place."""
    for path in SCREENS.rglob("*.py"):
        domain = FOLDERS.get(path.relative_to(SCREENS).parts[0], TextDomain.MAIN)
        yield from ((literal(call), domain) for call in python_calls(path))
    for path in BROWSER_MODULES.rglob("*.js"):
        domain = FOLDERS.get(path.parent.name, TextDomain.MAIN)
        for found in JS_CALL.finditer(path.read_text()):
            yield ast.literal_eval(f'"""{found["text"]}"""'), domain
    for texts, domain in ERROR_TEXTS:
        yield from ((text, domain) for text in texts.values())


def used_texts(domain: TextDomain) -> set[str]:
    """The texts of a domain: those that it uses, and no domain before it."""
    found: dict[TextDomain, set[str]] = {each: set() for each in TextDomain}
    for text, place in uses():
        found[place].add(text)
    assert all(found.values())
    order = list(TextDomain)
    return found[domain].difference(*(found[each] for each in order[: order.index(domain)]))


def catalog(locale: str, domain: TextDomain) -> dict[str, Message]:
    """The messages of a catalog by their text."""
    return {_forms(m.id)[0]: m for m in read_catalog(locale, domain) if m.id}


def _forms(value: object) -> list[str]:
    return list(value) if isinstance(value, (list, tuple)) else [str(value)]


@pytest.mark.parametrize("domain", TextDomain)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_on_the_screens_is_in_the_catalog(locale: str, domain: TextDomain) -> None:
    assert sorted(used_texts(domain) - set(catalog(locale, domain))) == []


@pytest.mark.parametrize("domain", TextDomain)
@pytest.mark.parametrize("locale", LOCALES)
def test_the_catalog_has_no_text_that_is_not_used(locale: str, domain: TextDomain) -> None:
    assert sorted(set(catalog(locale, domain)) - used_texts(domain)) == []


@pytest.mark.parametrize("domain", TextDomain)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated_and_approved(locale: str, domain: TextDomain) -> None:
    unfinished = [
        text
        for text, message in catalog(locale, domain).items()
        if message.fuzzy or not all(form.strip() for form in _forms(message.string))
    ]

    assert unfinished == []


@pytest.mark.parametrize("domain", TextDomain)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_plural_has_every_form_of_its_language(locale: str, domain: TextDomain) -> None:
    forms = read_catalog(locale, domain).num_plurals

    for text, message in catalog(locale, domain).items():
        if isinstance(message.id, (list, tuple)):
            assert len(_forms(message.string)) == forms, text


@pytest.mark.parametrize("domain", TextDomain)
@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_has_the_placeholders_of_its_text(locale: str, domain: TextDomain) -> None:
    for text, message in catalog(locale, domain).items():
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

"""Catalogs: compiles the gettext catalogs for the browser."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from clinic_chat.domain.accounts.users import LOCALES

FOLDER = Path(__file__).parent

Texts = dict[str, str | list[str]]


def read_catalog(locale: str) -> Catalog:
    """The gettext catalog of a locale."""
    with (FOLDER / f"{locale}.po").open("rb") as file:
        return read_po(file, locale=locale.replace("-", "_"))


def texts(locale: str) -> Texts:
    """The translations by English text; a plural's are a list of forms in the catalog's order."""
    found: Texts = {}
    for message in read_catalog(locale):
        match message.id, message.string:
            case "", _:
                continue
            case str() as text, str() as translation:
                found[text] = translation
            case (str() as text, _), (list() | tuple()) as forms:
                found[text] = list(forms)
    return found


def all_texts() -> dict[str, Texts]:
    """The texts of every locale."""
    return {locale: texts(locale) for locale in LOCALES}

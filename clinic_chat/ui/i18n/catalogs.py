"""Catalogs: compiles the gettext catalogs for the browser, by text domain."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from clinic_chat.domain.accounts.users import LOCALES
from clinic_chat.ui.i18n.text_domains import TextDomain

FOLDER = Path(__file__).parent

Texts = dict[str, str | list[str]]


def read_catalog(locale: str, domain: TextDomain) -> Catalog:
    """The gettext catalog of a locale and a domain."""
    with (FOLDER / locale / f"{domain}.po").open("rb") as file:
        return read_po(file, locale=locale.replace("-", "_"))


def texts(locale: str, domain: TextDomain) -> Texts:
    """The translations by English text; a plural's are a list of forms in the catalog's order."""
    found: Texts = {}
    for message in read_catalog(locale, domain):
        match message.id, message.string:
            case "", _:
                continue
            case str() as text, str() as translation:
                found[text] = translation
            case (str() as text, _), (list() | tuple()) as forms:
                found[text] = list(forms)
    return found


def texts_of(domain: TextDomain) -> dict[str, Texts]:
    """The texts of a domain in every locale."""
    return {locale: texts(locale, domain) for locale in LOCALES}

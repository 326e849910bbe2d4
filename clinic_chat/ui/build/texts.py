"""Text modules: the texts of the screens as JavaScript."""

import json

from clinic_chat.ui.i18n import error_texts
from clinic_chat.ui.i18n.catalogs import texts_of
from clinic_chat.ui.i18n.text_domains import TextDomain


def catalogs_module() -> tuple[str, str]:
    """The catalogs of every page as a JavaScript module."""
    return TextDomain.MAIN.module, f"export const catalogs = {_told(TextDomain.MAIN)};\n"


def sign_in_module() -> tuple[str, str]:
    """A JavaScript module that adds the catalogs of signing in to those of every page."""
    return TextDomain.SIGN_IN.module, _adding(TextDomain.SIGN_IN)


def settings_module() -> tuple[str, str]:
    """A JavaScript module that adds the catalogs of the settings screens."""
    source = f'import "$/{TextDomain.SIGN_IN.module}";\n{_adding(TextDomain.SETTINGS)}'
    return TextDomain.SETTINGS.module, source


def _adding(domain: TextDomain) -> str:
    return (
        f'import {{ addTexts }} from "$/public/live/lib/i18n.js";\n\naddTexts({_told(domain)});\n'
    )


def _told(domain: TextDomain) -> str:
    """The texts of a domain by locale, without those that are equal to their keys."""
    told = {
        locale: {key: text for key, text in texts.items() if text != key}
        for locale, texts in texts_of(domain).items()
    }
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)


def error_texts_module() -> tuple[str, str]:
    """The texts of errors by code as a JavaScript module (assets/live/lib/error_texts.js)."""
    values = {
        "GENERAL": error_texts.GENERAL,
        "texts": error_texts.COMMANDS,
        "parameters": error_texts.PARAMETERS,
    }
    lines = [
        f"export const {name} = {json.dumps(value, ensure_ascii=False)};\n"
        for name, value in values.items()
    ]
    return "utils/error_texts.js", "".join(lines)

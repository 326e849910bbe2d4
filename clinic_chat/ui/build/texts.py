"""Text modules: the texts of the screens as JavaScript."""

import json

from clinic_chat.ui.i18n import error_texts
from clinic_chat.ui.i18n.catalogs import all_texts


def catalogs_module() -> tuple[str, str]:
    """The compiled catalogs as a JavaScript module, without texts that are equal to their keys."""
    told = {
        locale: {key: text for key, text in texts.items() if text != key}
        for locale, texts in all_texts().items()
    }
    catalogs = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)
    return "utils/catalogs.js", f"export const catalogs = {catalogs};\n"


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

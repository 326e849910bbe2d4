"""Translation: texts in the reader's language, by English text; the .po files are the catalogs."""

from typing import Any

import reflex as rx
from reflex.vars import VarData

_HOOK = "const t = useTranslate();"
_VAR_DATA = VarData(
    imports={"$/public/live/lib/i18n.js": [rx.ImportVar(tag="useTranslate")]},
    hooks={_HOOK: None},
)


def t(text: str, /, **params: Any) -> rx.Var[str]:
    """`text` in the reader's language, updated at once when that changes.

    `{name}` in the text is replaced by the parameter of that name; `n` selects the plural.
    """
    arguments = rx.Var.create(text), rx.Var.create(params)
    return rx.Var(
        _js_expr=f"t({', '.join(str(argument) for argument in arguments)})",
        _var_type=str,
        _var_data=VarData.merge(
            *(argument._get_all_var_data() for argument in arguments), _VAR_DATA
        ),
    )

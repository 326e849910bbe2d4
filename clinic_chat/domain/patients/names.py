"""Person names from channels: cleaning them, and recognising placeholders."""

import re
import unicodedata

from clinic_chat.domain.characters import clean_line, cut, is_visible
from clinic_chat.domain.validation import NAME_LIMIT
from clinic_chat.folding import fold

OTHER_NAMES_LIMIT = 5
# Characters of a name that are read; a channel may send a megabyte.
READ_LIMIT = 1_000
# Placeholders that phones and gateways send in place of a name, without accents and case.
_PLACEHOLDERS = {
    "anonimo",
    "anonymous",
    "cliente",
    "contact",
    "contato",
    "customer",
    "desconhecida",
    "desconhecido",
    "guest",
    "n/a",
    "no name",
    "nome nao informado",
    "none",
    "null",
    "paciente",
    "patient",
    "sem nome",
    "undefined",
    "unknown",
    "user",
    "usuario",
    "usuario do whatsapp",
    "usuario whatsapp",
    "visitante",
    "visitor",
    "whatsapp",
    "whatsapp user",
}
# At least six digits: a shorter number is a nickname.
_NUMBER = re.compile(r"(?=(?:\D*\d){6})[\d\s+().\-/]+")


def person_name(value: str) -> str:
    """A channel's name for a person, cleaned, or "" when it names nobody.

    White space and invisible characters, punctuation alone, a phone number, and words such as
    "unknown" name nobody. Emoji do, because people choose them. The `~` that phones put before a
    self-chosen name is removed. At most 120 code points are kept.
    """
    name = cut(clean_line(value[:READ_LIMIT]).removeprefix("~").strip(), NAME_LIMIT)
    if not _says_something(name) or _NUMBER.fullmatch(name):
        return ""
    return "" if fold(name).strip("<>[]()\"'*. ") in _PLACEHOLDERS else name


def same_name(one: str, other: str) -> bool:
    """Whether two names are equal apart from case, accents and encoding."""
    return one == other or fold(one) == fold(other)


def with_other_name(names: list[str], name: str) -> list[str]:
    """`names` with `name` added or moved to the end, cut to the last five."""
    others = [known for known in names if not same_name(known, name)]
    return [*others, name][-OTHER_NAMES_LIMIT:]


def _says_something(name: str) -> bool:
    return any(_names_somebody(c) for c in name)


def _names_somebody(character: str) -> bool:
    # Emoji have category So, or Cn when they are newer than this Python's Unicode data.
    category = unicodedata.category(character)
    return (category[0] in "LN" or category in {"So", "Cn"}) and is_visible(character)

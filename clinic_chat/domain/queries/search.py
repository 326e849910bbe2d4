"""Finding patients by name and phone number: the one rule of what a search matches.

Names are stored folded (`search_key`, kept in `patients.search_name`); a query is folded here
into `Terms`. The browser gets both and compares plain strings, so it needs no folding of its own.
"""

import re
from dataclasses import dataclass, field

from clinic_chat.folding import fold

PHONE_DIGITS = 3
"""Fewer digits are looked for in names only."""

BRAZIL = "55"
# What a number begins with when it is dialled: international prefix, or trunk with carrier code.
_DIALLED = re.compile(r"^(?:00(?=[1-9])|0[1-9]{2}(?=[1-9]{2}\d{8,9}$)|0(?=[1-9]))")
_OPTIONAL_TRUNK = re.compile(rf"^{BRAZIL}0(?=[1-9])")
_PHONE_WORD = re.compile(r"[+()\-./\d]+")


@dataclass(frozen=True)
class Numeric:
    """Part of a query that may be a phone number."""

    words: list[str]
    """To be found in the name, all of them …"""
    phones: list[str]
    """… or one of these in the number's digits."""


@dataclass(frozen=True)
class Terms:
    """What a query asks for; every word and every number must be there, in any order."""

    words: list[str] = field(default_factory=list)
    numbers: list[Numeric] = field(default_factory=list)


def search_terms(query: str) -> Terms:
    """The words and numbers of a query.

    Words that look like parts of a phone number belong together: "011 98765-4321" is one.
    """
    words: list[str] = []
    numbers: list[Numeric] = []
    run: list[str] = []

    def end_of_number() -> None:
        digits = re.sub(r"\D", "", "".join(run))
        if len(digits) >= PHONE_DIGITS:
            numbers.append(Numeric(run.copy(), phone_parts(digits)))
        else:
            words.extend(run)
        run.clear()

    for word in fold(query).split():
        if word.isascii() and _PHONE_WORD.fullmatch(word):
            run.append(word)
        else:
            end_of_number()
            words.append(word)
    end_of_number()
    return Terms(_needed(words), numbers)


def phone_parts(digits: str) -> list[str]:
    """What to look for in stored numbers (E.164) for digits as people write and dial them.

    Without the international prefix, the trunk's 0 and a carrier's code; and for Brazilian
    mobiles, whose numbers got a ninth digit from 2012 to 2016 (Anatel, resolution 553/2010), with
    and without it. Parts of numbers are found as well.
    """
    number = _OPTIONAL_TRUNK.sub(BRAZIL, _DIALLED.sub("", digits))
    parts = [digits, number]
    national = [number]
    if number.startswith(BRAZIL) and len(number) > len(BRAZIL) + 4:
        national.append(number.removeprefix(BRAZIL))
    for rest in national:
        parts += _other_length(rest)
    return list(dict.fromkeys(parts))


def _other_length(national: str) -> list[str]:
    """A mobile with its ninth digit for one without, and the other way round."""
    if re.fullmatch(r"9[6-9]\d{7}", national):
        return [national[1:]]
    area, rest = national[:2], national[2:]
    if re.fullmatch(r"9[6-9]\d{7}", rest):
        return [area + rest[1:]]
    if re.fullmatch(r"[6-9]\d{1,7}", rest):
        return [f"{area}9{rest}"]
    return []


def _needed(words: list[str]) -> list[str]:
    """Each word once, and none that is part of another one."""
    kept: list[str] = []
    for word in sorted(set(words), key=len, reverse=True):
        if not any(word in longer for longer in kept):
            kept.append(word)
    return kept

"""Patient search: the terms of a query, matched with names and phone numbers.

Names are stored folded (`search_key`, kept in `patients.search_name`); a query is folded here
into `Terms`. The browser gets both and compares plain strings, so it needs no folding of its own.
"""

import re
from dataclasses import dataclass, field

from clinic_chat.folding import fold

PHONE_DIGITS = 3
"""The minimum for phone numbers; shorter digits are searched in names only."""

BRAZIL = "55"
# Prefixes for dialling: international, or trunk with or without a carrier's code.
_DIALLED = re.compile(r"^(?:00(?=[1-9])|0[1-9]{2}(?=[1-9]{2}\d{8,9}$)|0(?=[1-9]))")
_OPTIONAL_TRUNK = re.compile(rf"^{BRAZIL}0(?=[1-9])")
_PHONE_WORD = re.compile(r"[+()\-./\d]+")


@dataclass(frozen=True)
class Numeric:
    """A part of a query that may be a phone number; it matches by `words` or by `phones`."""

    words: list[str]
    """All of these must be in the name."""
    phones: list[str]
    """One of these must be in the number's digits."""


@dataclass(frozen=True)
class Terms:
    """The terms of a query; every word and every number must match, in any order."""

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
    """The digits to look for in stored numbers (E.164), for digits as people write and dial them.

    They are with and without prefixes for dialling (international, trunk, carrier). Brazilian
    mobile numbers, which got a ninth digit from 2012 to 2016 (Anatel, resolution 553/2010), are
    looked for with and without it. Parts of numbers are found as well.
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
    """A mobile number with its ninth digit for one without, and the other way round."""
    if re.fullmatch(r"9[6-9]\d{7}", national):
        return [national[1:]]
    area, rest = national[:2], national[2:]
    if re.fullmatch(r"9[6-9]\d{7}", rest):
        return [area + rest[1:]]
    if re.fullmatch(r"[6-9]\d{1,7}", rest):
        return [f"{area}9{rest}"]
    return []


def _needed(words: list[str]) -> list[str]:
    """The words without repetitions and without those that are part of another one."""
    kept: list[str] = []
    for word in sorted(set(words), key=len, reverse=True):
        if not any(word in longer for longer in kept):
            kept.append(word)
    return kept

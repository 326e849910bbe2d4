"""What a search finds: names and phone numbers as people write them."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clinic_chat.domain.queries.search import Terms, phone_parts, search_terms
from clinic_chat.folding import fold, search_key

MOBILE = "+5511987654321"
OLD_MOBILE = "+551187654321"


def finds(query: str, name: str, phone: str = "") -> bool:
    """Whether a patient is found, by what the database and the browser both do with the terms."""
    terms, key = search_terms(query), search_key(name)
    return all(word in key for word in terms.words) and all(
        all(word in key for word in number.words) or any(part in phone for part in number.phones)
        for number in terms.numbers
    )


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("joao", "João"),
        ("JOÃO", "joão"),
        ("conceição araujo", "Conceição de Fátima Araújo"),
        ("araújo CONCEICAO", "Conceição de Fátima Araújo"),
        ("fát conc", "Conceição de Fátima Araújo"),
        ("D'Ávila", "Maria D’Ávila"),
        ("D’Ávila", "Maria D'Ávila"),
        ("d´avila", "Maria D`Ávila"),
        ("d ‘avila", "Maria D'Ávila"),
        ("davila", "Maria D’Ávila"),
        ("ana-lucia", "Ana\u2011Lúcia"),
        ("ana\u2013lúcia", "Ana-Lúcia"),
        ("ana lucia", "Ana—Lúcia"),
        ("analucia", "Ana-Lúcia"),
        ("sofia", "So\u00adfia"),
        ("so\u200bfia", "Sofia"),
        ("\ufeffsofia\u202e", "So\u200dfia"),
        ("sofia", "So\ufe0ffia"),
        ("strasse", "Straße"),
        ("STRAẞE", "Strasse"),
        ("ﬁlipa", "Filipa"),
        ("ｓｏｆｉａ", "Sofia"),
        ("sorensen", "Sørensen"),
        ("Łucja", "lucja"),
        ("  ana\u00a0\u2003lima ", "Ana Lima"),
        ("ana 2", "Ana Quarto 2"),
        ("quarto 98765", "Quarto 98765"),
    ],
)
def test_a_name_is_found_as_people_write_it(query: str, name: str) -> None:
    assert finds(query, name)


@pytest.mark.parametrize(
    ("query", "name"),
    [("conceição lima", "Conceição Araújo"), ("maria", "Mário"), ("ana 3", "Ana 2"), ("'", "Ana")],
)
def test_every_word_must_be_there(query: str, name: str) -> None:
    assert not finds(query, name)


@pytest.mark.parametrize("phone", [MOBILE, OLD_MOBILE])
@pytest.mark.parametrize(
    "query",
    [
        "+55 11 98765-4321",
        "+55 11 8765-4321",
        "(11) 98765-4321",
        "(11) 8765-4321",
        "011 98765-4321",
        "011 8765-4321",
        "0 15 11 98765-4321",
        "0 21 11 8765-4321",
        "00 55 11 98765-4321",
        "0055 11 8765.4321",
        "+55 (0)11 98765-4321",
        "11987654321",
        "1187654321",
        "551187654321",
        "98765-4321",
        "98765 4321",
        "8765-4321",
        "4321",
        "11 8765",
        "\uff11\uff11 98765\u20134321",
        "conceição (11) 98765-4321",
        "98765-4321 araujo",
    ],
)
def test_a_number_is_found_as_people_write_and_dial_it(query: str, phone: str) -> None:
    assert finds(query, "Conceição de Fátima Araújo", phone)


@pytest.mark.parametrize(
    ("query", "phone"),
    [
        ("(11) 3265-0001", "+551132650001"),
        ("07700 900123", "+447700900123"),
        ("0044 7700 900123", "+447700900123"),
        ("0151 23456789", "+4915123456789"),
        ("06 1234 5678", "+390612345678"),
    ],
)
def test_landlines_and_other_countries_are_found_too(query: str, phone: str) -> None:
    assert finds(query, "Alguém", phone)


@pytest.mark.parametrize(
    ("query", "phone"),
    [
        ("(11) 3265-0001", "+5511932650001"),
        ("(21) 98765-4321", MOBILE),
        ("(11) 98765-4322", MOBILE),
        ("98765-4321 lima", MOBILE),
        ("98", MOBILE),
        ("(11) 93265-0001", "+551132650001"),
    ],
)
def test_another_number_is_not_found(query: str, phone: str) -> None:
    assert not finds(query, "Conceição", phone)


@given(st.text(max_size=60))
@example("\u1fef\u1ffd\u00b4")
@example("\ua78b")
def test_folding_is_the_same_for_every_form_of_a_text_and_for_what_is_folded(text: str) -> None:
    folded = fold(text)
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, text)) == folded
    assert fold(folded) == folded


@given(st.text(max_size=60))
def test_a_name_is_found_by_itself(name: str) -> None:
    assert finds(name, name)


@given(st.text("0123456789", min_size=3, max_size=20))
def test_digits_are_always_looked_for_as_they_are_too(digits: str) -> None:
    parts = phone_parts(digits)
    assert parts[0] == digits
    assert all(parts)
    assert len(parts) <= 4


def test_nothing_asks_for_nothing() -> None:
    assert search_terms(" \u200b ") == Terms()

"""Which of the names that channels give name somebody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_chat.domain.patients.names import person_name, same_name, with_other_name
from clinic_chat.domain.validation import NAME_LIMIT

ZERO_WIDTH_JOINER = "\u200d"


@pytest.mark.parametrize(
    "nobody",
    [
        "",
        "  ",
        "\u3164",
        "\u2800",
        "\u115f",
        "\uffa0",
        "\u034f",
        "\U0001d159",
        ZERO_WIDTH_JOINER,
        ".",
        "~",
        "-",
        "…",
        "?!",
        "~ .",
        "\u202e",
        "\x00",
        "\ud83d",
        "\ufe0f",
        "+5511987654321",
        "(11) 98765-4321",
        "11 8765 0001",
        "5511987654321",
        "~ +55 11 8765-0001",
        "unknown",
        "Unknown",
        "WhatsApp user",
        "Usuário do WhatsApp",
        "<desconhecido>",
        "N/A",
        "null",
        "Sem nome",
        "  Contato  ",
    ],
)
def test_placeholders_name_nobody(nobody: str) -> None:
    assert person_name(nobody) == ""


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("  Helena \n Prado ", "Helena Prado"),
        ("~Maria", "Maria"),
        ("\u202eMaria\u202c", "Maria"),
        ("\u3164Maria\u2800", "Maria\u2800"),
        ("Maria\x00 \u200bda Silva", "Maria da Silva"),
        ("🌸", "🌸"),
        ("王", "王"),
        ("Ana 2", "Ana 2"),
        ("123", "123"),
        ("Dra. Null Souza", "Dra. Null Souza"),
        ("👩‍⚕️ Ana", "👩‍⚕️ Ana"),
        ("می‌نا", "می‌نا"),
        ("a" * 119 + "👨‍👩‍👧", "a" * 119),
    ],
)
def test_real_names_are_cleaned_and_cut(given_name: str, name: str) -> None:
    assert person_name(given_name) == name


@given(st.text(st.characters(codec=None), max_size=400))
def test_a_name_is_one_short_line_that_is_left_alone_by_a_second_cleaning(text: str) -> None:
    name = person_name(text)
    assert len(name) <= NAME_LIMIT
    assert len(name.splitlines()) <= 1
    assert name.encode().decode() == name


def test_case_and_accents_do_not_make_another_person() -> None:
    assert same_name("JOAO prado", "João Prado")
    assert not same_name("João", "João Prado")


def test_the_latest_five_other_names_are_kept_once_each() -> None:
    names: list[str] = []
    for name in ["Ana", "Bia", "ANA", "Caio", "Davi", "Eva", "Fábio"]:
        names = with_other_name(names, name)
    assert names == ["ANA", "Caio", "Davi", "Eva", "Fábio"]

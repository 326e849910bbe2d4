"""What is dropped from text, what is seen in it, and where it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_chat.domain.characters import clean_line, clean_text, cut, is_visible

ANY_TEXT = st.text(st.characters(codec=None), max_size=300)
FAMILY = "👩‍👩‍👧‍👦"


@given(ANY_TEXT)
def test_clean_text_can_be_stored_and_is_left_alone_by_a_second_cleaning(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert cleaned.encode().decode() == cleaned
    assert "\x00" not in cleaned


@pytest.mark.parametrize(
    "text", [FAMILY, "क्‍ष", "می‌خواهم", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️", "e\u0301", "שלום, מה שלומך?", "a\tb\n\nc"]
)
def test_joiners_accents_and_scripts_of_both_directions_are_kept(text: str) -> None:
    assert clean_text(text) == text
    assert clean_line(text) == " ".join(text.split())
    assert is_visible(text)


@pytest.mark.parametrize(
    "blank",
    [
        "",
        " \t\n",
        "\u00a0\u3000",
        "\u3164",
        "\u2800",
        "\u115f",
        "\u1160",
        "\uffa0",
        "\u034f",
        "\U0001d159",
        "\u200d",
        "\u200b\u2060",
        "\u00ad",
        "\ufe0f",
        "\U000e0041",
        "\u0301",
        "\x07",
    ],
)
def test_what_has_no_glyph_is_not_visible(blank: str) -> None:
    assert not is_visible(blank)
    assert clean_line(blank) == ""


def test_characters_newer_than_this_python_are_visible() -> None:
    assert is_visible("\U0001fae9")


@given(ANY_TEXT)
def test_a_line_is_one_line_and_left_alone_by_a_second_cleaning(text: str) -> None:
    line = clean_line(text)
    assert clean_line(line) == line
    assert len(line.splitlines()) <= 1
    assert line == "" or is_visible(line)


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        (f"ab{FAMILY}", 5, "ab"),
        (f"{'a' * 5_000}{FAMILY}", 5_003, "a" * 5_000),
        ("oi 🇧🇷🇧🇷", 6, "oi 🇧🇷"),
        ("ae\u0301", 2, "a"),
        ("a" + "\u0301" * 300, 100, "a" + "\u0301" * 99),
    ],
)
def test_text_is_cut_between_characters_as_people_see_them(
    text: str, limit: int, kept: str
) -> None:
    assert cut(text, limit) == kept


@given(ANY_TEXT, st.integers(1, 300))
def test_a_cut_is_the_beginning_and_within_the_limit(text: str, limit: int) -> None:
    kept = cut(text, limit)
    assert text.startswith(kept)
    assert len(kept) <= limit
    assert kept or not text

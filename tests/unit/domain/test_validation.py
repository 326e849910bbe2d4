"""The rules for text from people and machines."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.validation import (
    BODY_LIMIT,
    KEY_LIMIT,
    NAME_LIMIT,
    PREVIEW_LENGTH,
    preview,
    valid_body,
    valid_key,
    valid_name,
)

# Hypothesis leaves lone surrogates out of text() unless they are asked for.
ANY_TEXT = st.text(st.characters(codec=None), max_size=300)
NOT_TEXT = [None, 1, 1.5, True, b"bytes", ["list"], {"a": "dict"}]


def _cleaned(check: Callable[[Any], str], value: Any) -> tuple[str | None, str | None]:
    """The clean text, or the code of the refusal."""
    try:
        return check(value), None
    except InvalidInput as refusal:
        return None, refusal.code


def _code(check: Callable[[Any], str], value: Any) -> str | None:
    return _cleaned(check, value)[1]


def _key(value: Any) -> str:
    return valid_key(value, "clientId")


@given(ANY_TEXT)
@example("\r")
@example("a\r\n\r\nb")
@example("\x85a\x85")
@example("\u200b\u2060\ufeff")
def test_a_body_passes_unchanged_by_a_second_cleaning_or_is_refused_for_a_known_reason(
    text: str,
) -> None:
    body, code = _cleaned(valid_body, text)
    if body is None:
        assert code in {"body_empty", "body_too_long"}
        return
    assert valid_body(body) == body
    assert body == body.strip()
    assert body.encode().decode() == body
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", body)


@pytest.mark.parametrize("value", NOT_TEXT)
def test_a_body_that_is_not_text_is_refused(value: Any) -> None:
    assert _code(valid_body, value) == "body_not_text"


@pytest.mark.parametrize(
    ("pasted", "stored"),
    [
        ("Preparo:\x0bjejum de 8 h", "Preparo:\njejum de 8 h"),
        ("página 1\x0cpágina 2", "página 1\npágina 2"),
        ("a\x85b\u2028c\u2029d", "a\nb\nc\nd"),
        ("resultado\x03 normal", "resultado normal"),
        ("\x1b[31mvermelho\x07\x7f\x9b", "[31mvermelho"),
        ("a\x00b", "ab"),
        ("meio\ud83d emoji", "meio\ufffd emoji"),
        ("tomar \u202egm 21\u202c", "tomar gm 21"),
        ("\u2066dose\u2069 \u200fאב", "dose \u200fאב"),
    ],
)
def test_what_cannot_be_shown_is_cleaned_from_a_body(pasted: str, stored: str) -> None:
    assert valid_body(pasted) == stored


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "\n\t\n",
        "\r\n",
        "\u00a0",
        "\u2003\u3000",
        "\u200b",
        "\u200d\u2060\ufeff",
        "\u202e",
        "\x00",
        "\u3164",
        "\u2800",
        "\u115f",
        "\uffa0",
        "\u034f",
        "\U0001d159",
        "\u0301",
    ],
)
def test_a_body_without_anything_to_see_is_refused(value: str) -> None:
    assert _code(valid_body, value) == "body_empty"


@pytest.mark.parametrize("character", ["a", "é", "😀", "字"])
def test_a_body_has_at_most_4000_code_points(character: str) -> None:
    assert BODY_LIMIT == 4_000
    assert valid_body(character * 4_000) == character * 4_000
    assert valid_body(" " + character * 4_000 + "\n") == character * 4_000
    assert _code(valid_body, character * 4_001) == "body_too_long"


def test_line_breaks_become_newlines_and_count_once() -> None:
    assert valid_body("a\r\nb\rc\nd\te") == "a\nb\nc\nd\te"
    assert len(valid_body("a" + "\r\n" * 3_998 + "b")) == 4_000


def test_emoji_with_joiners_and_right_to_left_text_are_kept() -> None:
    for text in ("👩‍👩‍👧‍👦", "שלום", "مرحبا", "e\u0301", "olá 👋🏽"):
        assert valid_body(text) == text


@given(ANY_TEXT)
@example("\u00a0a\u2003b\n")
def test_a_name_is_one_line_that_a_second_cleaning_leaves_alone_or_is_refused(text: str) -> None:
    name, code = _cleaned(valid_name, text)
    if name is None:
        assert code in {"name_empty", "name_too_long"}
        return
    assert valid_name(name) == name
    assert len(name.splitlines()) == 1
    assert 1 <= len(name) <= NAME_LIMIT


def test_a_name_has_1_to_120_characters() -> None:
    assert valid_name("  Maria \n da\tSilva ") == "Maria da Silva"
    assert valid_name("a" * 120) == "a" * 120
    assert _code(valid_name, "a" * 121) == "name_too_long"
    assert _code(valid_name, " \u200b ") == "name_empty"
    assert valid_name("a\x00\u202eb") == "ab"
    assert _code(valid_name, None) == "name_not_text"


@given(ANY_TEXT)
def test_a_key_passes_unchanged_or_is_refused(text: str) -> None:
    key, code = _cleaned(_key, text)
    if key is None:
        assert code == "clientId_invalid"
        return
    assert key == text
    assert key.encode().decode() == key
    assert len(key.splitlines()) == 1


@pytest.mark.parametrize("value", ["", " ", "\u00a0", "a\nb", "a\x00", "\ud800", *NOT_TEXT])
def test_a_key_that_is_blank_unprintable_or_not_text_is_refused(value: Any) -> None:
    assert _code(_key, value) == "clientId_invalid"


def test_a_key_has_at_most_200_characters() -> None:
    assert KEY_LIMIT == 200
    assert _key("k" * 200) == "k" * 200
    assert _code(_key, "k" * 201) == "clientId_invalid"


@given(st.text(max_size=600))
def test_a_preview_is_short_and_on_one_line(text: str) -> None:
    short = preview(text)
    assert len(short) <= PREVIEW_LENGTH
    assert len(short.splitlines()) <= 1


def test_a_preview_says_when_something_is_left_out() -> None:
    assert preview("olá\n  mundo") == "olá mundo"
    assert preview("a" * PREVIEW_LENGTH) == "a" * PREVIEW_LENGTH
    assert preview("a" * (PREVIEW_LENGTH + 1)) == "a" * (PREVIEW_LENGTH - 1) + "…"


@pytest.mark.parametrize(
    ("before", "cluster"),
    [(137, "🇧🇷"), (136, "👩‍👩‍👧‍👦"), (138, "e\u0301"), (135, "👋🏽"), (137, "नी")],
)
def test_a_preview_ends_with_a_whole_sign(before: int, cluster: str) -> None:
    short = preview("a" * before + cluster * 9)
    assert re.fullmatch(f"a{{{before}}}({cluster})*…", short)
    assert len(short) <= PREVIEW_LENGTH


def test_a_preview_of_one_endless_sign_shows_its_beginning() -> None:
    assert preview("e" + "\u0301" * 300).startswith("e\u0301")

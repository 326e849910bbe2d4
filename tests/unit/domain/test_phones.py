"""One number is one address however it is written, and nothing is refused for its form."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clinic_chat.domain.characters import clean_line
from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.patients.phones import SHOWN_LIMIT, phone_address
from clinic_chat.domain.validation import KEY_LIMIT

MOBILE = "+5511987654321"


@pytest.mark.parametrize(
    "written",
    [
        MOBILE,
        "+551187654321",
        "+55 (11) 98765-4321",
        "(11) 98765-4321",
        "(11) 8765-4321",
        "11 98765 4321",
        "011 98765-4321",
        "0 15 11 98765-4321",
        "00 55 11 98765-4321",
        "0021 55 11 98765-4321",
        "5511987654321",
        "551187654321",
        "551187654321@c.us",
        "5511987654321@s.whatsapp.net",
        "whatsapp:+551187654321",
        "tel:+55-11-98765-4321",
        " +55\u00a011\u202f98765\u201143\u200b21 ".replace("\u2011", "-"),
        "+５５１１９８７６５４３２１",
    ],
)
def test_a_mobile_is_one_number_however_it_is_written(written: str) -> None:
    assert phone_address(written).number == MOBILE


def test_the_number_is_shown_as_it_was_used() -> None:
    assert phone_address("(11) 8765-0001").shown == "+551187650001"
    assert phone_address("+5511987650001").shown == "+5511987650001"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("(11) 3265-0001", "+551132650001"),
        ("+551132650001", "+551132650001"),
        ("(11) 93265-0001", "+5511932650001"),
        ("0800 123 4567", "+558001234567"),
        ("+1 555 123 4567", "+15551234567"),
        ("00 351 912 345 678", "+351912345678"),
        ("+5215512345678", "+525512345678"),
        ("+525512345678", "+525512345678"),
        # Of the form of E.164 though no country has such numbers.
        ("+1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_landlines_and_other_countries_stay_apart(written: str, number: str) -> None:
    assert phone_address(written).number == number


@given(area=st.integers(11, 99), subscriber=st.integers(2_000_0000, 9_999_9999))
def test_only_mobiles_have_a_ninth_digit_to_lose(area: int, subscriber: int) -> None:
    if area % 10 == 0:
        return
    short, long = f"+55{area}{subscriber}", f"+55{area}9{subscriber}"
    same = phone_address(short).number == phone_address(long).number
    assert same == (subscriber >= 6_000_0000)


@pytest.mark.parametrize(
    "given_address", ["28282", "98765-4321", "maria1134567890", "BR.1234abc", "+12", "ana@example"]
)
def test_what_is_no_number_is_kept_as_it_was_given(given_address: str) -> None:
    address = phone_address(given_address)
    assert (address.number, address.shown) == (None, given_address)
    assert address.key == given_address


@given(st.text(st.characters(codec=None), max_size=600))
def test_every_text_with_something_to_see_is_an_address(text: str) -> None:
    assume(clean_line(text))
    address = phone_address(text)
    assert (address.number is None) != (address.key is None)
    assert 1 <= len(address.shown) <= SHOWN_LIMIT
    assert len(address.key or "") <= KEY_LIMIT
    assert len(address.number or "") <= 16


def test_long_addresses_that_differ_at_their_end_differ() -> None:
    for length in (500, 100_000):
        one, other = phone_address("x" * length + "1"), phone_address("x" * length + "2")
        assert one.key != other.key


@pytest.mark.parametrize("value", ["", " ", "\u200b", None, 5511987654321, ["+5511987654321"]])
def test_no_phone_at_all_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        phone_address(value)
    assert refusal.value.code == "phone_missing"

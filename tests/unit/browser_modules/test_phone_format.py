"""Phone numbers as people write them."""

import pytest

from clinic_chat.domain.patients.phones import format_phone


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+5511900000103", "+55 11 90000-0103"),
        ("+551132345678", "+55 11 3234-5678"),
        ("+351912345678", "+351 912 345 678"),
        ("+14155550123", "+1 415-555-0123"),
        # Of no country, too short, or none at all.
        ("+999123456", "+999123456"),
        ("+12", "+12"),
        ("", ""),
    ],
)
def test_a_number_is_shown_in_its_countrys_groups(number: str, shown: str) -> None:
    assert format_phone(number) == shown

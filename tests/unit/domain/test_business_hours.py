"""Business hours: spans of weekdays, in order, without overlaps."""

import pytest

from clinic_chat.domain.clinics.business_hours import MAX_SPANS, Span, stored_hours, valid_hours
from clinic_chat.domain.errors import InvalidInput

MORNING, AFTERNOON = ("08:00", "12:00"), ("13:30", "18:00")


def test_spans_are_stored_in_order_and_come_back() -> None:
    week = valid_hours({4: [AFTERNOON, MORNING], 0: [MORNING], 6: []})

    assert week == {"0": [["08:00", "12:00"]], "4": [["08:00", "12:00"], ["13:30", "18:00"]]}
    assert stored_hours(week) == {0: [MORNING], 4: [MORNING, AFTERNOON]}
    assert valid_hours({}) == {}


def test_a_span_may_end_where_the_next_begins_and_at_the_end_of_the_day() -> None:
    assert valid_hours({0: [("12:00", "24:00"), ("00:00", "12:00")]})


@pytest.mark.parametrize(
    ("spans", "code"),
    [
        ([("12:00", "08:00")], "hours_invalid"),
        ([("08:00", "08:00")], "hours_invalid"),
        ([("8:00", "12:00")], "hours_invalid"),
        ([("", "12:00")], "hours_invalid"),
        ([("08:00", "25:00")], "hours_invalid"),
        ([("08:60", "12:00")], "hours_invalid"),
        ([("08:00\n", "12:00")], "hours_invalid"),
        ([("٠٨:٠٠", "12:00")], "hours_invalid"),
        ([("08:00", "12:01"), ("12:00", "13:00")], "hours_overlap"),
        ([MORNING, MORNING], "hours_overlap"),
        ([(f"0{n}:00", f"0{n}:30") for n in range(MAX_SPANS + 1)], "hours_invalid"),
    ],
)
def test_what_is_no_span_is_refused(spans: list[Span], code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        valid_hours({0: spans})
    assert refusal.value.code == code


@pytest.mark.parametrize("day", [-1, 7])
def test_a_week_has_seven_days(day: int) -> None:
    with pytest.raises(InvalidInput):
        valid_hours({day: [MORNING]})

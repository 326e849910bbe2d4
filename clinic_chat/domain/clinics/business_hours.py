"""Business hours: the times of a week at which a clinic is open, in its own time zone."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from clinic_chat.domain.errors import InvalidInput

Span = tuple[str, str]
"""From when to when, as `HH:MM`; `24:00` is the end of the day."""

DAYS = 7
MAX_SPANS = 4
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")


def valid_hours(hours: Mapping[int, Sequence[Span]]) -> dict[str, list[list[str]]]:
    """A week's hours, in order and without holes in their form, as they are stored.

    `hours` has the spans of weekdays (Monday is 0, ISO 8601 less one); a day that is not there is
    closed, and no day at all means that the clinic has said nothing.

    Raises:
        InvalidInput: `hours_invalid`: not a time, ends before it begins, or more than MAX_SPANS a
            day; `hours_overlap`: two spans of a day overlap.
    """
    week = {}
    for day, spans in sorted(hours.items()):
        if not 0 <= day < DAYS or len(spans) > MAX_SPANS:
            raise InvalidInput(f"at most {MAX_SPANS} spans on a weekday", code="hours_invalid")
        for begin, end in spans:
            if not (_TIME.fullmatch(begin) and _TIME.fullmatch(end) and begin < end):
                raise InvalidInput("a span ends after it begins", code="hours_invalid")
        # Texts of this form sort as the times do.
        ordered = sorted(spans)
        for (_, end), (begin, _) in pairwise(ordered):
            if begin < end:
                raise InvalidInput("two spans of a day overlap", code="hours_overlap")
        if ordered:
            week[str(day)] = [[begin, end] for begin, end in ordered]
    return week


def stored_hours(week: Mapping[str, Sequence[Sequence[str]]]) -> dict[int, list[Span]]:
    """The spans of weekdays of what `valid_hours` returned."""
    return {int(day): [(span[0], span[1]) for span in spans] for day, spans in week.items()}

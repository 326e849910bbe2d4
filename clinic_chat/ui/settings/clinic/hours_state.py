"""State of the business hours on the clinic screen."""

from dataclasses import dataclass, replace

import reflex as rx

from clinic_chat.domain.administration.clinic_settings import (
    change_clinic_settings,
    read_clinic_settings,
)
from clinic_chat.domain.clinics.business_hours import DAYS, MAX_SPANS, Span, stored_hours
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.settings.actions import acting, refusals

MIDNIGHT, END_OF_DAY = "00:00", "24:00"
FIRST = ("08:00", "18:00")
MONDAY, SATURDAY = 0, 5


@dataclass(frozen=True)
class SpanRow:
    """A span on the screen; its times are as a time field has them, "" for an empty one."""

    key: int
    begin: str
    end: str


@dataclass(frozen=True)
class DayRow:
    """A weekday on the screen, Monday is 0."""

    day: int
    spans: list[SpanRow]
    is_full: bool


class BusinessHours(rx.State):
    """The hours as the person has them on the screen, stored when they save."""

    days: list[DayRow] = []  # noqa: RUF012 - Reflex copies the default
    error: str = ""
    """The code of what refused the last act, "" for nothing."""
    saved: bool = False
    _next_key: int = 0

    @exposed
    async def load(self) -> None:
        """Read the hours."""
        self.error = ""
        self.saved = False
        async with refusals(self):
            found = await read_clinic_settings(acting())
            hours = stored_hours(found.business_hours)
            self.days = [self._day(day, hours.get(day, [])) for day in range(DAYS)]

    @exposed
    def add_span(self, day: int) -> None:
        """Begin another span of a weekday, behind those it has."""
        spans = _spans(self.days[_valid(day)])
        if len(spans) < MAX_SPANS:
            self._show(day, [*spans, ("", "") if spans else FIRST])

    @exposed
    def remove_span(self, day: int, key: int) -> None:
        """Take a span of a weekday away."""
        row = self.days[_valid(day)]
        spans = [span for span in row.spans if span.key != key]
        self._put(replace(row, spans=spans, is_full=False))

    @exposed
    def change_begin(self, day: int, key: int, time: str) -> None:
        """Take the time at which a span begins."""
        self._change(day, key, begin=time[:5])

    @exposed
    def change_end(self, day: int, key: int, time: str) -> None:
        """Take the time at which a span ends."""
        self._change(day, key, end=time[:5])

    @exposed
    def copy_monday(self) -> None:
        """Give Tuesday to Friday the spans of Monday."""
        spans = _spans(self.days[MONDAY])
        for day in range(MONDAY + 1, SATURDAY):
            self._show(day, spans)

    @exposed
    async def save(self, _form: dict[str, str]) -> None:
        """Store the hours."""
        self.error = ""
        self.saved = False
        async with refusals(self):
            week = {
                str(row.day): [[begin, _end(end)] for begin, end in _spans(row)]
                for row in self.days
            }
            await change_clinic_settings(acting(), business_hours=week)
            await self.load()
            self.saved = True

    def _change(self, day: int, key: int, **times: str) -> None:
        row = self.days[_valid(day)]
        spans = [replace(span, **times) if span.key == key else span for span in row.spans]
        self._put(replace(row, spans=spans))

    def _show(self, day: int, spans: list[Span]) -> None:
        self._put(self._day(day, spans))

    def _put(self, row: DayRow) -> None:
        self.days = [row if other.day == row.day else other for other in self.days]

    def _day(self, day: int, spans: list[Span]) -> DayRow:
        rows = []
        for begin, end in spans:
            self._next_key += 1
            rows.append(SpanRow(self._next_key, begin, MIDNIGHT if end == END_OF_DAY else end))
        return DayRow(day, rows, len(rows) >= MAX_SPANS)


def _spans(row: DayRow) -> list[Span]:
    return [(span.begin, span.end) for span in row.spans]


def _end(time: str) -> str:
    """A time field has no 24:00."""
    return END_OF_DAY if time == MIDNIGHT else time


def _valid(day: int) -> int:
    return min(max(day, 0), DAYS - 1)

"""Times and days in the clinic's time zone, drawn by the browser (assets/live/account/time.js)."""

import reflex as rx


class _Time(rx.Component):
    library = "$/public/live/account/time.js"


class ClockTime(_Time):
    """The time of day in the clinic's time zone."""

    tag = "ClockTime"
    at: rx.Var[str]


class RelativeTime(_Time):
    """The time since a moment, kept current."""

    tag = "RelativeTime"
    at: rx.Var[str]


class Receipt(_Time):
    """The delivery status of a message with its time, on hover and for screen readers."""

    tag = "Receipt"
    at: rx.Var[str]
    name: rx.Var[str]
    reason: rx.Var[str]


class PrintedAt(_Time):
    """The date and time of printing."""

    tag = "PrintedAt"


class LongDate(_Time):
    """A date in words."""

    tag = "LongDate"
    at: rx.Var[str]


class DayName(_Time):
    """Today, yesterday, or the day's name."""

    tag = "DayName"
    day: rx.Var[str]

"""Business hours on the clinic screen: the spans of each weekday."""

import reflex as rx

from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import ADMINISTRATION, error_text
from clinic_chat.ui.settings.clinic.hours_state import BusinessHours, DayRow, SpanRow
from clinic_chat.ui.settings.layout import alert, done, section


def hours_section() -> rx.Component:
    """A form with a line for each weekday."""
    return section(
        t("Business hours"),
        rx.el.p(
            t("In the clinic’s time zone. A day without hours is closed."), class_name="text-quiet"
        ),
        rx.el.form(
            rx.el.ul(rx.foreach(BusinessHours.days, _day), class_name="hours"),
            alert(
                rx.cond(
                    BusinessHours.error != "", error_text(ADMINISTRATION, BusinessHours.error), ""
                )
            ),
            done(rx.cond(BusinessHours.saved, t("Saved."), "")),
            rx.el.div(
                rx.el.button(t("Save hours"), type="submit", class_name="button button-primary"),
                rx.el.button(
                    t("Monday’s hours for Tuesday to Friday"),
                    type="button",
                    class_name="button",
                    on_click=BusinessHours.copy_monday,
                ),
                class_name="settings-actions",
            ),
            on_submit=BusinessHours.save,
            class_name="settings-form",
        ),
    )


def _day(row: rx.Var[DayRow]) -> rx.Component:
    return rx.el.li(
        rx.el.span(_name(row.day), class_name="hours-day"),
        rx.cond(
            row.spans.length() > 0,
            rx.el.ul(
                rx.foreach(row.spans, lambda span: _span(row, span)), class_name="hours-spans"
            ),
            rx.el.span(t("Closed"), class_name="hours-spans text-quiet"),
        ),
        rx.cond(
            row.is_full,
            rx.fragment(),
            rx.el.button(
                rx.icon("plus", size=18),
                type="button",
                class_name="icon-button",
                aria_label=t("Add hours: {day}", day=_name(row.day)),
                title=t("Add hours: {day}", day=_name(row.day)),
                on_click=BusinessHours.add_span(row.day),
            ),
        ),
        key=row.day.to_string(),
        class_name="hours-line",
        custom_attrs={"data-day": row.day},
    )


def _span(row: rx.Var[DayRow], span: rx.Var[SpanRow]) -> rx.Component:
    return rx.el.li(
        rx.el.input(
            type="time",
            default_value=span.begin,
            required=True,
            aria_label=t("Opens: {day}", day=_name(row.day)),
            on_change=lambda value: BusinessHours.change_begin(row.day, span.key, value),
        ),
        rx.el.span("–", aria_hidden="true"),
        rx.el.input(
            type="time",
            default_value=span.end,
            required=True,
            aria_label=t("Closes: {day}", day=_name(row.day)),
            on_change=lambda value: BusinessHours.change_end(row.day, span.key, value),
        ),
        rx.el.button(
            rx.icon("x", size=16),
            type="button",
            class_name="icon-button",
            aria_label=t("Remove hours: {day}", day=_name(row.day)),
            title=t("Remove hours: {day}", day=_name(row.day)),
            on_click=BusinessHours.remove_span(row.day, span.key),
        ),
        key=span.key.to_string(),
        class_name="hours-span",
    )


def _name(day: rx.Var[int]) -> rx.Var[str]:
    names = (
        t("Monday"),
        t("Tuesday"),
        t("Wednesday"),
        t("Thursday"),
        t("Friday"),
        t("Saturday"),
        t("Sunday"),
    )
    return rx.match(day, *enumerate(names), "")

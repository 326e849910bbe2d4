"""Retention on the clinic screen: how long resolved conversations are kept."""

import reflex as rx

from clinic_chat.domain.administration.clinic_settings import RETENTION_MONTHS
from clinic_chat.ui.components.times import LongDate
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import ADMINISTRATION, error_text
from clinic_chat.ui.settings.clinic.retention_state import Retention
from clinic_chat.ui.settings.layout import alert, done, field, section


def retention_section() -> rx.Component:
    """A form with the term, and what it does."""
    low, high = RETENTION_MONTHS
    return section(
        t("Keeping conversations"),
        rx.el.p(
            t(
                "Conversations that are resolved are deleted for good, with their messages, so "
                "many months after the last message. What belongs in the medical record has to "
                "be there before: the law asks for 20 years."
            ),
            class_name="text-quiet",
        ),
        rx.el.form(
            field(
                t("Months to keep them"),
                "months",
                rx.el.input(
                    # The field of another term is another field.
                    key=Retention.months.to_string(),
                    id="months",
                    name="months",
                    type="number",
                    min=low,
                    max=high,
                    default_value=rx.cond(Retention.months > 0, Retention.months.to_string(), ""),
                    placeholder=t("For ever"),
                ),
            ),
            _outlook(),
            alert(rx.cond(Retention.error != "", error_text(ADMINISTRATION, Retention.error), "")),
            done(rx.cond(Retention.saved, t("Saved."), "")),
            rx.el.button(t("Save term"), type="submit", class_name="button button-primary"),
            on_submit=Retention.save,
            class_name="settings-form",
        ),
    )


def _outlook() -> rx.Component:
    return rx.cond(
        Retention.months > 0,
        rx.el.p(
            rx.cond(
                Retention.over_term > 0,
                t("{n} conversations are older than that.", n=Retention.over_term),
                t("No conversation is older than that yet."),
            ),
            " ",
            t("Deletion from: "),
            LongDate.create(at=Retention.begins_at),
            custom_attrs={"data-testid": "retention-outlook"},
        ),
        rx.fragment(),
    )

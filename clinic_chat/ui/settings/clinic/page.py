"""Clinic screen: its name, time zone and language, its hours, and how long it keeps what."""

from zoneinfo import available_timezones

import reflex as rx

from clinic_chat.domain.accounts.users import LOCALES
from clinic_chat.domain.administration.clinic_settings import IDLE_MINUTES
from clinic_chat.ui.account.menu import LOCALE_NAMES
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import ADMINISTRATION, error_text
from clinic_chat.ui.settings.clinic.hours import hours_section
from clinic_chat.ui.settings.clinic.hours_state import BusinessHours
from clinic_chat.ui.settings.clinic.retention import retention_section
from clinic_chat.ui.settings.clinic.retention_state import Retention
from clinic_chat.ui.settings.clinic.state import ClinicForm
from clinic_chat.ui.settings.layout import alert, done, field, section, settings_page

ROUTE = "/settings/clinic"
ON_LOAD = [Account.load, ClinicForm.load, BusinessHours.load, Retention.load]
# Those that name a place; the rest are other names for them.
REGIONS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Pacific")
TIMEZONES = sorted(
    name for name in available_timezones() if name.startswith(tuple(f"{r}/" for r in REGIONS))
)


def clinic_page() -> rx.Component:
    """The forms of the clinic."""
    return settings_page(
        ROUTE,
        t("Clinic"),
        alert(rx.cond(ClinicForm.error != "", error_text(ADMINISTRATION, ClinicForm.error), "")),
        done(rx.cond(ClinicForm.saved, t("Saved."), "")),
        rx.cond(
            ClinicForm.ready & Retention.ready,
            rx.fragment(section(t("General"), _form()), hours_section(), retention_section()),
            rx.el.p(t("Loading…"), class_name="text-quiet", role="status"),
        ),
    )


def _form() -> rx.Component:
    low, high = IDLE_MINUTES
    return rx.el.form(
        field(
            t("Name"),
            "name",
            rx.el.input(
                id="name", name="name", default_value=ClinicForm.name, required=True, max_length=120
            ),
        ),
        field(
            t("Time zone"),
            "timezone",
            rx.fragment(
                rx.el.input(
                    id="timezone",
                    name="timezone",
                    default_value=ClinicForm.timezone,
                    required=True,
                    max_length=64,
                    list="timezones",
                    auto_complete="off",
                ),
                rx.el.datalist(*[rx.el.option(value=name) for name in TIMEZONES], id="timezones"),
            ),
        ),
        field(
            t("Language for people who chose none"),
            "locale",
            rx.el.select(
                rx.el.option(t("As the browser has it"), value=""),
                *[rx.el.option(LOCALE_NAMES[one], value=one, lang=one) for one in LOCALES],
                id="locale",
                name="locale",
                default_value=ClinicForm.locale,
            ),
        ),
        field(
            t("Minutes without doing anything after which people are signed out"),
            "idle",
            rx.el.input(
                id="idle",
                name="idle",
                type="number",
                min=low,
                max=high,
                default_value=rx.cond(
                    ClinicForm.session_idle_minutes > 0,
                    ClinicForm.session_idle_minutes.to_string(),
                    "",
                ),
                placeholder=t("As the server has it"),
            ),
        ),
        rx.el.label(
            rx.el.input(
                type="checkbox",
                name="second_factor_required",
                default_checked=ClinicForm.second_factor_required,
            ),
            t("Everybody signs in with a second step"),
            class_name="settings-check",
        ),
        rx.el.button(t("Save"), type="submit", class_name="button button-primary"),
        key=ClinicForm.form,
        on_submit=ClinicForm.save,
        class_name="settings-form",
    )

"""Set-up page: the first clinic of a new installation and its administrator."""

import reflex as rx

from clinic_chat.domain.accounts.passwords import PASSWORD_MAXIMUM, PASSWORD_MINIMUM
from clinic_chat.ui.components.theme import logo
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import SETUP, error_texts

ROUTE = "/setup"


class SetupForm(rx.Component):
    """The form that makes the first clinic."""

    library = "$/public/live/sign_in/setup.js"
    tag = "SetupForm"

    messages: rx.Var[dict[str, str]]
    shortest: rx.Var[int]
    longest: rx.Var[int]


def setup_page() -> rx.Component:
    """One card, as on the sign-in page."""
    return rx.el.main(
        rx.el.div(
            rx.el.div(logo(), rx.el.h1("Clinic Chat"), class_name="sign-in-brand"),
            rx.el.p(t("Set up your clinic"), class_name="text-quiet"),
            SetupForm.create(
                messages=error_texts(SETUP), shortest=PASSWORD_MINIMUM, longest=PASSWORD_MAXIMUM
            ),
            class_name="sign-in-card",
        ),
        class_name="sign-in",
    )

"""Join page: where the links of administrators lead, to join a clinic or to set a password."""

import reflex as rx

from clinic_chat.domain.accounts.passwords import PASSWORD_MAXIMUM, PASSWORD_MINIMUM
from clinic_chat.ui.components.theme import logo
from clinic_chat.ui.i18n.error_texts import LINKS, error_texts

ROUTE = "/join"


class JoinForm(rx.Component):
    """The offer of the link behind the address's `#`, and the form that takes it up."""

    library = "$/public/live/sign_in/join.js"
    tag = "JoinForm"

    messages: rx.Var[dict[str, str]]
    shortest: rx.Var[int]
    longest: rx.Var[int]


def join_page() -> rx.Component:
    """One card, as on the sign-in page."""
    return rx.el.main(
        rx.el.div(
            rx.el.div(logo(), rx.el.h1("Clinic Chat"), class_name="sign-in-brand"),
            JoinForm.create(
                messages=error_texts(LINKS), shortest=PASSWORD_MINIMUM, longest=PASSWORD_MAXIMUM
            ),
            class_name="sign-in-card",
        ),
        class_name="sign-in",
    )

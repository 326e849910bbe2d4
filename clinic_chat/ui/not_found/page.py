"""Not-found page: the page for unknown addresses."""

import reflex as rx

from clinic_chat.ui.components.empty_state import notice
from clinic_chat.ui.components.texts import inner_link
from clinic_chat.ui.i18n import t

ROUTE = "404"


def not_found_page() -> rx.Component:
    """The message that the address is unknown, and a link back to the inbox."""
    return rx.el.main(
        notice(
            "map-pin-off",
            t("Page not found"),
            t("There is nothing at this address."),
            inner_link(t("Back to conversations"), to="/", class_name="button"),
        ),
        class_name="not-found",
    )

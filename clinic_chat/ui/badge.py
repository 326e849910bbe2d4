"""The connection badge: whether what is on the screen is live."""

import reflex as rx

from clinic_chat.ui.i18n import t
from clinic_chat.ui.live import browser_value


def connection_badge() -> rx.Component:
    """Says in words and colour how the connection is."""
    status = browser_value("connection", "connection", "status")
    return rx.el.span(
        rx.el.span(class_name="connection-dot", custom_attrs={"aria-hidden": "true"}),
        rx.match(
            status,
            ("live", t("Live")),
            ("connecting", t("Connecting…")),
            t("Reconnecting…"),
        ),
        class_name="connection-badge",
        role="status",
        custom_attrs={"data-testid": "connection-badge", "data-status": status},
    )

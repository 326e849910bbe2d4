"""The connection badge: whether what is on the screen is live, and how fresh it is."""

import reflex as rx

from clinic_chat.ui.i18n import t
from clinic_chat.ui.live import browser_call, browser_value


def connection_badge() -> rx.Component:
    """Says in words and colour how the connection is; while it waits, a click tries now."""
    status = browser_value("badge", "badge", "status")
    return rx.el.div(
        rx.el.span(class_name="connection-dot", custom_attrs={"aria-hidden": "true"}),
        # Read out when it changes; the seconds beside it are not, they change all the time.
        rx.el.span(_word(status), role="status"),
        _detail(status),
        rx.cond(
            browser_value("badge", "badge", "queued", int) > 0,
            rx.el.span(
                t("{n} waiting", n=browser_value("badge", "badge", "queued", int)),
                class_name="connection-queued",
            ),
            rx.fragment(),
        ),
        class_name="connection-badge",
        custom_attrs={"data-testid": "connection-badge", "data-status": status},
    )


def _word(status: rx.Var[str]) -> rx.Component:
    return rx.match(
        status,
        ("live", t("Live")),
        ("polling", t("Polling")),
        ("stale", t("Not up to date")),
        ("offline", t("Offline")),
        (
            "waiting",
            rx.cond(
                browser_value("badge", "badge", "restarting", bool),
                t("Server restarts"),
                t("No connection"),
            ),
        ),
        t("Connecting…"),
    )


def _detail(status: rx.Var[str]) -> rx.Component:
    seconds = browser_value("badge", "badge", "seconds", int)
    synced = browser_value("badge", "badge", "synced", int)
    return rx.match(
        status,
        (
            "waiting",
            rx.el.button(
                rx.cond(seconds > 0, t("Reconnecting in {n} s", n=seconds), t("Reconnecting…")),
                type="button",
                class_name="connection-retry",
                title=t("Try now"),
                aria_label=t("Try now"),
                on_click=browser_call("connection", "retryNow"),
            ),
        ),
        ("offline", rx.fragment()),
        ("connecting", rx.fragment()),
        rx.cond(
            synced >= 0,
            rx.el.span(t("synced {n} s ago", n=synced), class_name="connection-synced"),
            rx.fragment(),
        ),
    )

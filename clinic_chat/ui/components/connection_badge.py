"""Connection status: whether the screen is live, and the age of its data."""

import reflex as rx

from clinic_chat.ui.components.bindings import browser_call, browser_value
from clinic_chat.ui.i18n import t

POLLING_SECONDS = 5
"""The interval of checks without a websocket (assets/live/app/freshness.js)."""


def connection_badge() -> rx.Component:
    """The connection status in the list's header; while it waits, a click tries again at once."""
    status = _status()
    return rx.el.div(
        rx.el.span(class_name="connection-dot", custom_attrs={"aria-hidden": "true"}),
        rx.el.span(_word(status), class_name="connection-word"),
        _detail(status),
        rx.cond(
            _queued() > 0,
            rx.el.span(t("{n} waiting", n=_queued()), class_name="connection-queued"),
            rx.fragment(),
        ),
        class_name="connection-badge",
        custom_attrs={
            "data-testid": "connection-badge",
            "data-status": status,
            "data-synced-at": browser_value("app/connection_badge", "badge", "syncedAt", int),
        },
    )


def connection_bar() -> rx.Component:
    """The connection status over the screen while it is not live; changes are read out.

    Nothing moves when it appears or disappears. While it is live, only its text for screen
    readers is there.
    """
    status = _status()
    return rx.el.div(
        rx.icon("wifi-off", size=16, custom_attrs={"aria-hidden": "true"}),
        # The seconds beside it are not read out, because they change all the time.
        rx.el.span(_word(status), role="status"),
        _next_try(status),
        rx.cond(
            _queued() > 0,
            rx.el.span(t("{n} messages waiting", n=_queued()), class_name="connection-queued"),
            rx.fragment(),
        ),
        class_name="connection-bar",
        custom_attrs={"data-testid": "connection-bar", "data-status": status},
    )


def _status() -> rx.Var[str]:
    status: rx.Var[str] = browser_value("app/connection_badge", "badge", "status")
    return status


def _queued() -> rx.Var[int]:
    queued: rx.Var[int] = browser_value("app/connection_badge", "badge", "queued", int)
    return queued


def _word(status: rx.Var[str]) -> rx.Component:
    return rx.match(
        status,
        ("live", t("Live")),
        ("polling", t("Slow connection (every {n} s)", n=POLLING_SECONDS)),
        ("stale", t("Not up to date")),
        ("offline", t("Offline")),
        (
            "waiting",
            rx.cond(
                browser_value("app/connection_badge", "badge", "restarting", bool),
                t("Server restarting"),
                t("No connection"),
            ),
        ),
        t("Connecting…"),
    )


def _detail(status: rx.Var[str]) -> rx.Component:
    seconds = browser_value("app/connection_badge", "badge", "seconds", int)
    return rx.match(
        status,
        (
            "waiting",
            rx.el.button(
                rx.cond(seconds > 0, t("Reconnecting in {n} s", n=seconds), t("Reconnecting…")),
                type="button",
                class_name="connection-retry",
                title=t("Try now"),
                on_click=browser_call("connection/connection", "retryNow"),
            ),
        ),
        ("live", _age(rx.el.span(t("updated just now"), class_name="connection-synced"))),
        ("polling", _age(rx.fragment())),
        ("stale", _age(rx.fragment())),
        rx.fragment(),
    )


def _age(fresh: rx.Component) -> rx.Component:
    """The age of the data on the screen, or `fresh` if it was just updated."""
    synced = browser_value("app/connection_badge", "badge", "synced", int)
    return rx.cond(
        synced > 0,
        rx.el.span(t("updated {n} s ago", n=synced), class_name="connection-synced"),
        rx.cond(synced == 0, fresh, rx.fragment()),
    )


def _next_try(status: rx.Var[str]) -> rx.Component:
    seconds = browser_value("app/connection_badge", "badge", "seconds", int)
    now = rx.el.button(
        t("Try now"),
        type="button",
        class_name="connection-retry",
        on_click=browser_call("connection/connection", "retryNow"),
    )
    return rx.match(
        status,
        (
            "waiting",
            rx.fragment(
                rx.el.span(
                    rx.cond(seconds > 0, t("trying again in {n} s", n=seconds), t("trying now…"))
                ),
                now,
            ),
        ),
        ("offline", now),
        ("stale", _age(rx.fragment())),
        rx.fragment(),
    )

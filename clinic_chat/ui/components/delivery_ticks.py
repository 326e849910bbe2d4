"""Delivery ticks: icons for the delivery status of an outbound message."""

import reflex as rx

from clinic_chat.ui.components.times import Receipt
from clinic_chat.ui.i18n import t

SIZE = 14


def tick(
    status: rx.Var[str], at: rx.Var[str] | str = "", reason: rx.Var[str] | str = ""
) -> rx.Component:
    """The status as an icon, with its name, time and reason on hover and for screen readers."""
    return rx.match(
        status,
        ("sending", _tick("clock", t("Sending"), "sending", "", "")),
        ("waiting", _tick("clock", t("Waiting for the connection"), "waiting", "", "")),
        ("sent", _tick("check", t("Saved"), "sent", at, "")),
        ("delivered", _tick("check-check", t("Delivered"), "delivered", at, "")),
        ("read", _tick("check-check", t("Read"), "read", at, "")),
        _tick("circle-alert", t("Not delivered"), "failed", at, reason),
    )


def _tick(
    icon: str, name: rx.Var[str], status: str, at: rx.Var[str] | str, reason: rx.Var[str] | str
) -> rx.Component:
    return rx.el.span(
        Receipt.create(
            rx.icon(icon, size=SIZE, custom_attrs={"aria-hidden": "true"}),
            name=name,
            at=at,
            reason=reason,
        ),
        class_name=f"delivery-tick delivery-tick-{status}",
        custom_attrs={"data-testid": "message-status", "data-status": status},
    )

"""The deliveries of a webhook: the newest events, and what became of them."""

import reflex as rx

from clinic_chat.domain.webhooks.delivery import DeliveryStatus
from clinic_chat.ui.components.texts import UNTRANSLATED
from clinic_chat.ui.components.times import RelativeTime
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import WEBHOOK_ATTEMPT, error_text
from clinic_chat.ui.settings.webhooks.state import DeliveryRow, WebhookSettings


def recent_deliveries() -> rx.Component:
    """The deliveries of the webhook that is opened."""
    return rx.cond(
        WebhookSettings.deliveries.length() > 0,
        rx.el.ul(
            rx.foreach(WebhookSettings.deliveries, _delivery),
            class_name="settings-list",
            aria_label=t("Recent deliveries"),
        ),
        rx.el.p(t("Nothing was sent yet."), class_name="text-quiet"),
    )


def _delivery(row: rx.Var[DeliveryRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(row.type, custom_attrs=UNTRANSLATED),
            rx.el.span(
                rx.match(
                    row.status,
                    (DeliveryStatus.DELIVERED.value, t("Delivered")),
                    (DeliveryStatus.PARKED.value, t("Parked: it was tried for a day.")),
                    rx.cond(row.attempts > 0, t("Tried again soon"), t("Waits")),
                ),
                " · ",
                RelativeTime.create(at=row.changed_at),
                class_name="text-quiet",
            ),
            rx.cond(
                row.last_error != "",
                rx.el.span(
                    error_text(WEBHOOK_ATTEMPT, row.last_error),
                    status_of(row.last_status),
                    class_name="text-quiet",
                ),
                rx.fragment(),
            ),
            class_name="settings-list-text",
        ),
        key=row.id,
        class_name="settings-list-item",
        custom_attrs={"data-delivery": row.id, "data-status": row.status},
    )


def status_of(status: rx.Var[int]) -> rx.Var[str]:
    """The HTTP status of an attempt, nothing without an answer."""
    return rx.cond(status > 0, " (HTTP " + status.to_string() + ")", "")

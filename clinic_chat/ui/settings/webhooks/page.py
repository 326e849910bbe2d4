"""Webhooks screen: where the clinic's events are sent, and what became of them."""

import reflex as rx

from clinic_chat.domain.events.log import EventType
from clinic_chat.domain.webhooks.webhook import DESCRIPTION_LIMIT, URL_LIMIT
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.controls import CopyButton
from clinic_chat.ui.components.texts import UNTRANSLATED
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import ADMINISTRATION, error_text
from clinic_chat.ui.settings.layout import alert, field, section, settings_page
from clinic_chat.ui.settings.webhooks.row import webhook_row
from clinic_chat.ui.settings.webhooks.state import WebhookSettings

ROUTE = "/settings/webhooks"
ON_LOAD = [Account.load, WebhookSettings.load]


def webhooks_page() -> rx.Component:
    """A new webhook, and those that there are."""
    return settings_page(
        ROUTE,
        t("Webhooks"),
        alert(
            rx.cond(
                WebhookSettings.error != "", error_text(ADMINISTRATION, WebhookSettings.error), ""
            )
        ),
        section(
            t("New webhook"),
            rx.el.p(
                t(
                    "Another system gets each event of this clinic at its address, with what "
                    "patients wrote. It can prove that the event is from here by the secret."
                )
            ),
            _form(),
            rx.cond(WebhookSettings.new_secret != "", _new_secret(), rx.fragment()),
        ),
        section(
            t("Webhooks"),
            rx.cond(
                WebhookSettings.webhooks.length() > 0,
                rx.el.ul(
                    rx.foreach(WebhookSettings.webhooks, webhook_row), class_name="settings-list"
                ),
                rx.el.p(
                    rx.cond(WebhookSettings.ready, t("There is none yet."), t("Loading…")),
                    class_name="text-quiet",
                ),
            ),
        ),
    )


def _event_names() -> dict[EventType, rx.Var[str]]:
    return {
        EventType.MESSAGE_NEW: t("New messages"),
        EventType.MESSAGE_UPDATED: t("Changes of messages"),
        EventType.CONVERSATION_UPDATED: t("Changes of conversations"),
        EventType.CONVERSATION_DELETED: t("Deleted conversations"),
    }


def _form() -> rx.Component:
    return rx.el.form(
        field(
            t("Address"),
            "url",
            rx.el.input(
                id="url",
                name="url",
                type="url",
                required=True,
                max_length=URL_LIMIT,
                placeholder="https://example.com/clinic-chat",
                auto_complete="off",
            ),
        ),
        field(
            t("Description"),
            "description",
            rx.el.input(
                id="description",
                name="description",
                max_length=DESCRIPTION_LIMIT,
                auto_complete="off",
            ),
        ),
        rx.el.fieldset(
            rx.el.legend(t("Which events")),
            *[
                rx.el.label(
                    rx.el.input(type="checkbox", name=kind.value, default_checked=True),
                    name,
                    class_name="settings-check",
                )
                for kind, name in _event_names().items()
            ],
            class_name="settings-fieldset",
        ),
        rx.el.button(t("Add the webhook"), type="submit", class_name="button button-primary"),
        on_submit=WebhookSettings.create,
        reset_on_submit=True,
        class_name="settings-form",
    )


def _new_secret() -> rx.Component:
    return rx.el.div(
        rx.el.p(t("Copy the secret now: it is not shown again."), role="status"),
        rx.el.code(
            WebhookSettings.new_secret,
            class_name="settings-code",
            custom_attrs={**UNTRANSLATED, "data-testid": "new-secret"},
        ),
        rx.el.div(
            CopyButton.create(text=WebhookSettings.new_secret, label=t("Copy the secret")),
            rx.el.button(
                t("Done"),
                type="button",
                class_name="button",
                on_click=WebhookSettings.close_secret,
            ),
            class_name="settings-actions",
        ),
        class_name="settings-new-link",
    )

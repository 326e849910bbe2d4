"""Composer: the form for writing a message."""

import reflex as rx

from clinic_chat.ui.components.plain_form import plain_form
from clinic_chat.ui.i18n import t
from clinic_chat.ui.thread.browser import MessageBox
from clinic_chat.ui.thread.state import Thread


def composer() -> rx.Component:
    """The text area and the send button; assets/live/thread/composer.js does the work."""
    return plain_form(
        MessageBox.create(
            conversation_id=Thread.conversation.id,
            label=t("Message to {name}", name=Thread.conversation.patient_name),
            # The patient's name stands where people look while they write.
            placeholder=t("Write a message to {name}…", name=Thread.conversation.salutation),
        ),
        rx.el.button(
            rx.icon("send-horizontal", size=18),
            type="submit",
            class_name="composer-send",
            aria_label=t("Send"),
            title=t("Send"),
            custom_attrs={"data-testid": "send"},
        ),
        class_name="composer",
        key=Thread.conversation.id,
        custom_attrs={"data-testid": "composer"},
    )

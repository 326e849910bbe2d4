"""The pane of the open conversation."""

import reflex as rx

from clinic_chat.ui.i18n import t
from clinic_chat.ui.live import in_slices, inner_link
from clinic_chat.ui.notice import notice
from clinic_chat.ui.thread.composer import composer
from clinic_chat.ui.thread.header import thread_header
from clinic_chat.ui.thread.messages import message_list, message_skeleton, typing_indicator
from clinic_chat.ui.thread.state import Thread


def thread_pane() -> rx.Component:
    """What is open, or what to do when nothing is."""
    drawn = in_slices(Thread.phase == "ready")
    return rx.el.main(
        rx.match(
            Thread.phase,
            ("none", _nothing_open()),
            ("missing", _missing()),
            ("failed", _failed()),
            rx.el.div(
                thread_header(),
                rx.cond(drawn, message_list(), message_skeleton()),
                typing_indicator(),
                rx.cond(drawn, composer(), rx.fragment()),
                class_name="thread",
            ),
        ),
        class_name="thread-pane",
    )


def _nothing_open() -> rx.Component:
    return notice(
        "message-circle",
        t("Choose a conversation"),
        t("Everyone on duty sees the same messages, as they arrive."),
    )


def _missing() -> rx.Component:
    return notice(
        "circle-help",
        t("Conversation not found"),
        t("It does not exist, or it belongs to another clinic."),
        inner_link(t("Back to the conversations"), to="/", class_name="button"),
    )


def _failed() -> rx.Component:
    return notice(
        "cloud-off",
        t("The conversation did not load"),
        t("The server did not answer in time. What you wrote is safe."),
        rx.el.button(t("Try again"), type="button", class_name="button", on_click=Thread.open),
    )

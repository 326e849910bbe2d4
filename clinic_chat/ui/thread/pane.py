"""The pane of the open conversation."""

import reflex as rx

from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.row import status_badge
from clinic_chat.ui.live import inner_link
from clinic_chat.ui.theme import avatar
from clinic_chat.ui.thread.composer import composer
from clinic_chat.ui.thread.messages import message_list, message_skeleton
from clinic_chat.ui.thread.state import Thread


def thread_pane() -> rx.Component:
    """What is open, or what to do when nothing is."""
    return rx.el.main(
        rx.match(
            Thread.phase,
            ("none", _nothing_open()),
            ("missing", _missing()),
            ("failed", _failed()),
            rx.el.div(
                _header(),
                rx.cond(Thread.phase == "ready", message_list(), message_skeleton()),
                rx.cond(Thread.phase == "ready", composer(), rx.fragment()),
                class_name="thread",
            ),
        ),
        class_name="thread-pane",
    )


def _header() -> rx.Component:
    conversation = Thread.conversation
    return rx.el.header(
        _back(),
        avatar(conversation.initials, conversation.hue),
        rx.el.div(
            rx.el.h2(conversation.patient_name),
            rx.el.span(conversation.patient_phone, class_name="quiet"),
            class_name="thread-title",
        ),
        status_badge(conversation.status),
        rx.el.button(
            rx.icon("panel-right", size=18),
            type="button",
            class_name="icon-button patient-toggle",
            aria_label=t("Patient details"),
            aria_expanded=Thread.show_patient,
            title=t("Patient details"),
            on_click=Thread.toggle_patient,
        ),
        class_name="thread-header",
    )


def _back() -> rx.Component:
    return inner_link(
        rx.icon("arrow-left", size=20),
        to="/",
        class_name="icon-button back",
        custom_attrs={"aria-label": t("Back to the conversations")},
    )


def _nothing_open() -> rx.Component:
    return _notice(
        "message-circle",
        t("Choose a conversation"),
        t("Everyone on duty sees the same messages, as they arrive."),
    )


def _missing() -> rx.Component:
    return _notice(
        "circle-help",
        t("Conversation not found"),
        t("It does not exist, or it belongs to another clinic."),
        inner_link(t("Back to the conversations"), to="/", class_name="button"),
    )


def _failed() -> rx.Component:
    return _notice(
        "cloud-off",
        t("The conversation did not load"),
        t("The server did not answer in time. What you wrote is safe."),
        rx.el.button(t("Try again"), type="button", class_name="button", on_click=Thread.open),
    )


def _notice(
    icon: str, title: rx.Var[str], text: rx.Var[str], action: rx.Component | None = None
) -> rx.Component:
    return rx.el.div(
        rx.icon(icon, size=34, stroke_width=1.5),
        rx.el.h2(title),
        rx.el.p(text, class_name="quiet"),
        action or rx.fragment(),
        class_name="notice",
    )

"""The messages of the open conversation."""

import reflex as rx

from clinic_chat.ui.i18n import t
from clinic_chat.ui.live import ClockTime, DayName, ThreadScroll, browser_call
from clinic_chat.ui.thread.state import Thread, ThreadMessage

SKELETON_BUBBLES = ("in", "out", "in", "in", "out")


def message_list() -> rx.Component:
    """The scrolling list, oldest first."""
    return ThreadScroll.create(
        rx.cond(
            Thread.first_seq > 1,
            rx.el.button(
                rx.cond(Thread.loading_earlier, t("Loading…"), t("Load earlier messages")),
                type="button",
                class_name="more",
                on_click=Thread.load_earlier(Thread.conversation.id, Thread.first_seq),
                disabled=Thread.loading_earlier,
                custom_attrs={"data-testid": "load-more"},
            ),
            rx.fragment(),
        ),
        rx.foreach(Thread.messages, lambda message: message_row(message=message, key=message.key)),
        conversation_id=Thread.conversation.id,
        label=t("Messages"),
    )


@rx.memo
def message_row(message: rx.Var[ThreadMessage], rest: rx.RestProp) -> rx.Component:
    """A message with its day line before it when the day is new."""
    return rx.el.div(
        rx.cond(
            message.day != "",
            rx.el.div(
                rx.el.span(DayName.create(day=message.day)), class_name="day", role="separator"
            ),
            rx.fragment(),
        ),
        rx.el.article(
            rx.cond(
                message.starts_group & (message.direction == "outbound"),
                rx.el.span(
                    rx.cond(message.mine, t("You"), message.author_name),
                    class_name="message-author",
                ),
                rx.el.span(_author(message), class_name="sr-only"),
            ),
            rx.el.div(message.body, class_name="message-body", dir="auto"),
            rx.el.div(_status(message), class_name="message-foot"),
            class_name="bubble",
        ),
        _failure(message),
        rest,
        class_name="message",
        custom_attrs={
            "data-testid": "message",
            "data-seq": message.seq.to_string(),
            "data-id": message.id,
            "data-direction": message.direction,
            "data-status": message.status,
            "data-starts": message.starts_group,
        },
    )


def _author(message: rx.Var[ThreadMessage]) -> rx.Var[str]:
    return rx.cond(message.mine, t("You"), message.author_name)


def _status(message: rx.Var[ThreadMessage]) -> rx.Component:
    return rx.fragment(
        ClockTime.create(at=message.at),
        rx.cond(
            message.direction == "outbound",
            rx.match(
                message.status,
                ("sending", _tick("clock", t("Sending"), "sending")),
                ("sent", _tick("check", t("Sent"), "sent")),
                ("delivered", _tick("check-check", t("Delivered"), "delivered")),
                ("read", _tick("check-check", t("Read"), "read")),
                _tick("circle-alert", t("Not delivered"), "failed"),
            ),
            rx.fragment(),
        ),
    )


def _tick(icon: str, name: rx.Var[str], status: str) -> rx.Component:
    return rx.el.span(
        rx.icon(icon, size=14, custom_attrs={"aria-hidden": "true"}),
        rx.el.span(name, class_name="sr-only"),
        class_name=f"tick tick-{status}",
        title=name,
        custom_attrs={"data-testid": "message-status", "data-status": status},
    )


def _failure(message: rx.Var[ThreadMessage]) -> rx.Component:
    """What went wrong with a message of this browser, and what can be done about it."""
    return rx.cond(
        (message.status == "failed") & (message.seq == 0),
        rx.el.div(
            rx.el.span(_reason(message.failure)),
            rx.el.button(
                t("Try again"), type="button", on_click=browser_call("outbox", "retry", message.id)
            ),
            rx.el.button(
                t("Discard"), type="button", on_click=browser_call("outbox", "discard", message.id)
            ),
            class_name="message-failure",
            role="alert",
        ),
        rx.fragment(),
    )


def _reason(code: rx.Var[str]) -> rx.Var[str]:
    return rx.match(
        code,
        ("storage_unavailable", t("Not sent: the clinic's server cannot save right now.")),
        ("rate_limited", t("Not sent: too many messages in a minute.")),
        ("not_found", t("Not sent: this conversation is not there any more.")),
        ("body_too_long", t("Not sent: a message has at most {n} characters.", n=4000)),
        ("body_characters", t("Not sent: the text has characters that cannot be sent.")),
        t("Not sent: something went wrong."),
    )


def message_skeleton() -> rx.Component:
    """What shows while a conversation loads."""
    return rx.el.div(
        *[
            rx.el.div(class_name="bone bubble-skeleton", custom_attrs={"data-side": side})
            for side in SKELETON_BUBBLES
        ],
        class_name="thread-skeleton",
        role="status",
        aria_busy=True,
        aria_label=t("Loading…"),
    )

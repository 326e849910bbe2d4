"""Message list of the open conversation."""

import reflex as rx

from clinic_chat.ui.components.bindings import browser_call
from clinic_chat.ui.components.controls import Boundary, SeenButton
from clinic_chat.ui.components.delivery_ticks import tick
from clinic_chat.ui.components.texts import UNTRANSLATED, MessageText, fresh
from clinic_chat.ui.components.times import ClockTime, DayName
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import UNSENT, error_text
from clinic_chat.ui.thread.browser import (
    Announcements,
    FailedDelivery,
    MessageActions,
    ThreadScroll,
)
from clinic_chat.ui.thread.content import fold_button, late_times, stand_in
from clinic_chat.ui.thread.state import Thread, ThreadMessage

SKELETON_BUBBLES = ("in", "out", "in", "in", "out")


def message_list() -> rx.Component:
    """The scrolling list, oldest first, with buttons to the newest and to the unread messages."""
    return rx.el.div(
        ThreadScroll.create(
            rx.cond(Thread.first_seq > 1, _printed_in_part(), rx.fragment()),
            rx.cond(
                Thread.first_seq > 1,
                SeenButton.create(
                    rx.cond(Thread.loading_earlier, t("Loading…"), t("Load earlier messages")),
                    class_name="load-more-button",
                    cursor=Thread.first_seq,
                    on_click=browser_call("thread/thread", "loadEarlier"),
                    disabled=Thread.loading_earlier,
                    custom_attrs={"data-testid": "load-more"},
                ),
                rx.fragment(),
            ),
            rx.foreach(
                Thread.messages,
                lambda message: Boundary.create(
                    message_row(message=message), of=message, key=message.key
                ),
            ),
            rx.cond(
                Thread.at_end,
                rx.fragment(),
                SeenButton.create(
                    rx.cond(Thread.loading_later, t("Loading…"), t("Load later messages")),
                    class_name="load-more-button",
                    cursor=Thread.last_seq,
                    on_click=browser_call("thread/thread", "loadLater"),
                    disabled=Thread.loading_later,
                    custom_attrs={"data-testid": "load-later"},
                ),
            ),
            conversation_id=Thread.conversation.id,
            marked_seq=Thread.marked_seq,
            label=t("Messages"),
        ),
        Announcements.create(
            conversation_id=Thread.conversation.id,
            messages=Thread.messages,
            at_end=Thread.at_end,
            label=t("Messages"),
        ),
        rx.cond(Thread.unread_above > 0, _jump_to_unread(), rx.fragment()),
        MessageActions.create(),
        rx.cond(Thread.show_jump, _jump_to_latest(), rx.fragment()),
        class_name="message-list-view",
    )


def _printed_in_part() -> rx.Component:
    return rx.el.p(t("Earlier messages are not on this paper."), class_name="print-only text-quiet")


def _jump_to_unread() -> rx.Component:
    return rx.el.button(
        rx.icon("arrow-up", size=16),
        fresh(t("{n} new messages", n=Thread.unread_above)),
        type="button",
        class_name="jump-button jump-button-up",
        on_click=browser_call("thread/thread", "jumpToUnread"),
        custom_attrs={"data-testid": "jump-to-unread"},
    )


def _jump_to_latest() -> rx.Component:
    return rx.el.button(
        rx.icon("arrow-down", size=16),
        fresh(
            rx.cond(
                Thread.new_below > 0,
                t("{n} new messages", n=Thread.new_below),
                t("Latest messages"),
            )
        ),
        type="button",
        class_name="jump-button",
        on_click=browser_call("thread/thread", "jumpToLatest"),
        custom_attrs={"data-testid": "jump-to-latest", "data-new": Thread.new_below},
    )


def typing_indicator() -> rx.Component:
    """The colleagues who are typing in this conversation."""
    return rx.cond(
        (Thread.phase == "ready") & (Thread.typist_count > 0),
        rx.el.div(
            rx.el.span(
                rx.el.i(),
                rx.el.i(),
                rx.el.i(),
                class_name="typing-indicator-dots",
                custom_attrs={"aria-hidden": "true"},
            ),
            fresh(
                rx.match(
                    Thread.typist_count,
                    (1, t("{name} is typing…", name=Thread.typist_first)),
                    (
                        2,
                        t(
                            "{first} and {second} are typing…",
                            first=Thread.typist_first,
                            second=Thread.typist_second,
                        ),
                    ),
                    t("{n} people are typing…", n=Thread.typist_count),
                )
            ),
            class_name="typing-indicator",
            role="status",
            custom_attrs={"data-testid": "typing-indicator"},
        ),
        rx.fragment(),
    )


@rx.memo
def message_row(message: rx.Var[ThreadMessage], rest: rx.RestProp) -> rx.Component:
    """A message, with a line before it if it is the first of its day or the first unread one."""
    return rx.el.div(
        rx.cond(
            message.day != "",
            rx.el.div(
                rx.el.span(DayName.create(day=message.day)),
                class_name="message-day",
                role="separator",
            ),
            rx.fragment(),
        ),
        rx.cond(
            message.first_unread,
            rx.el.div(
                rx.el.span(t("New messages")),
                class_name="message-unread-line",
                role="separator",
                custom_attrs={"data-testid": "unread-line"},
            ),
            rx.fragment(),
        ),
        rx.el.article(
            rx.cond(
                message.starts_group & (message.direction == "outbound"),
                rx.el.span(
                    rx.cond(message.mine, t("You"), message.author_name),
                    class_name="message-author",
                    custom_attrs=UNTRANSLATED,
                ),
                _inbound_author(message),
            ),
            stand_in(message),
            rx.el.div(
                MessageText.create(body=message.body),
                class_name="message-body",
                dir="auto",
                custom_attrs={"data-folded": message.folded},
            ),
            fold_button(message),
            rx.el.div(_status(message), class_name="message-foot"),
            class_name="message-bubble",
            custom_attrs={"data-author": message.author_name},
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
            "data-marked": message.marked,
        },
    )


def _inbound_author(message: rx.Var[ThreadMessage]) -> rx.Component:
    return rx.cond(
        message.sender != "",
        rx.el.span(
            message.sender,
            class_name="message-author",
            dir="auto",
            custom_attrs=UNTRANSLATED,
        ),
        rx.el.span(_author(message), class_name="sr-only", custom_attrs=UNTRANSLATED),
    )


def _author(message: rx.Var[ThreadMessage]) -> rx.Var[str]:
    return rx.cond(message.mine, t("You"), message.author_name)


def _status(message: rx.Var[ThreadMessage]) -> rx.Component:
    reached = rx.match(
        message.status,
        ("delivered", message.delivered_at),
        ("read", message.read_at),
        ("failed", message.failed_at),
        message.at,
    )
    return rx.fragment(
        rx.cond(message.sent_late, late_times(message), ClockTime.create(at=message.at)),
        rx.cond(
            message.direction == "outbound",
            tick(message.status, reached, message.failure),
            rx.fragment(),
        ),
    )


def _failure(message: rx.Var[ThreadMessage]) -> rx.Component:
    """The error of a message, and actions for it."""
    return rx.cond(
        (message.status == "failed") & (message.seq > 0),
        rx.el.div(
            rx.el.span(
                rx.cond(message.failure != "", message.failure, t("The message was not delivered."))
            ),
            FailedDelivery.create(
                message_id=message.id,
                conversation_id=message.conversation_id,
                body=message.body,
                resent=message.resent,
            ),
            class_name="message-failure",
        ),
        _unsent(message),
    )


def _unsent(message: rx.Var[ThreadMessage]) -> rx.Component:
    return rx.cond(
        (message.status == "failed") & (message.seq == 0),
        rx.el.div(
            rx.el.span(error_text(UNSENT, message.failure)),
            rx.el.button(
                t("Try again"),
                type="button",
                class_name="text-button",
                on_click=browser_call("outbox/outbox", "retry", message.id),
            ),
            rx.el.button(
                t("Discard"),
                type="button",
                class_name="text-button",
                on_click=browser_call("outbox/outbox", "discard", message.id),
            ),
            class_name="message-failure",
            role="alert",
        ),
        rx.fragment(),
    )


def message_skeleton() -> rx.Component:
    """Placeholder bubbles while a conversation loads."""
    return rx.el.div(
        *[
            rx.el.div(
                class_name="skeleton-block thread-skeleton-bubble", custom_attrs={"data-side": side}
            )
            for side in SKELETON_BUBBLES
        ],
        class_name="thread-skeleton skeleton",
        role="status",
        aria_busy=True,
        aria_label=t("Loading…"),
    )

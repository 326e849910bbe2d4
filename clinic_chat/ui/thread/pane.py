"""Thread pane: the open conversation."""

import json

import reflex as rx

from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.bindings import browser_call, in_slices
from clinic_chat.ui.components.connection_badge import connection_bar
from clinic_chat.ui.components.controls import Boundary
from clinic_chat.ui.components.empty_state import notice
from clinic_chat.ui.components.texts import inner_link
from clinic_chat.ui.components.times import PrintedAt
from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.state import Inbox
from clinic_chat.ui.thread.composer import composer
from clinic_chat.ui.thread.header import back_link, thread_header
from clinic_chat.ui.thread.messages import message_list, message_skeleton, typing_indicator
from clinic_chat.ui.thread.state import Thread

CONVERSATION_PATH = "/c/"


def opening_script() -> rx.Component:
    """A script that marks the address of a conversation for the style sheet, before anything shows.

    All addresses share one page, rendered with nothing open (server/pages/page_paths.py). The mark
    is removed when the conversation shows (assets/live/app/bridge.js).
    """
    address = json.dumps(f"^{CONVERSATION_PATH}[^/]+/?$")
    return rx.el.script(
        f"if (new RegExp({address}).test(location.pathname))"
        " document.documentElement.dataset.opening = '';"
    )


def thread_pane() -> rx.Component:
    """The open conversation, or a hint when nothing is open."""
    return rx.el.main(
        rx.match(
            Thread.phase,
            ("none", _nothing_open()),
            ("missing", _missing()),
            ("failed", _failed()),
            rx.el.div(
                _print_head(),
                Boundary.create(
                    rx.cond(Thread.conversation.id != "", thread_header(), _header_to_come()),
                    of=Thread.conversation.id,
                ),
                # Together, because nobody may answer messages that are not on the screen yet.
                rx.cond(
                    in_slices(Thread.phase == "ready"),
                    rx.fragment(
                        Boundary.create(
                            message_list(),
                            typing_indicator(),
                            of=Thread.conversation.id,
                            whole=True,
                        ),
                        Boundary.create(composer(), of=Thread.conversation.id),
                    ),
                    rx.cond(Thread.offline, _offline(), message_skeleton()),
                ),
                class_name="thread",
            ),
        ),
        connection_bar(),
        class_name="thread-pane",
        id="conversation",
        tab_index=-1,
    )


def _print_head() -> rx.Component:
    """The clinic and the time of printing; the header below names the patient."""
    return rx.el.div(
        rx.el.span(Account.clinic_name),
        # An error in a part for paper only must not replace the pane on the screen.
        rx.el.span(Boundary.create(PrintedAt.create())),
        class_name="print-only print-head",
    )


def _nothing_open() -> rx.Component:
    return rx.fragment(
        notice(
            "message-circle",
            t("Choose a conversation"),
            t("Everyone on duty sees the same messages as they arrive."),
        ),
        rx.el.div(
            _header_to_come(),
            message_skeleton(),
            class_name="thread-opening",
        ),
    )


def _offline() -> rx.Component:
    return notice("cloud-off", t("No internet: it opens when the connection is back."))


def _header_to_come() -> rx.Component:
    return rx.el.header(back_link(), class_name="thread-header")


def _missing() -> rx.Component:
    return notice(
        "circle-help",
        t("Conversation not found"),
        t("It doesn’t exist, or it belongs to another clinic."),
        inner_link(t("Back to conversations"), to="/" + Inbox.filter_query, class_name="button"),
    )


def _failed() -> rx.Component:
    return notice(
        "cloud-off",
        t("The conversation didn’t load"),
        t("The server took too long to respond. What you wrote is safe."),
        rx.el.button(
            t("Try again"),
            type="button",
            class_name="button",
            on_click=browser_call("thread/thread", "retry"),
        ),
    )

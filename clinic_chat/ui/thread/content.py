"""Message content besides short text: stand-ins, folding of long text, late times."""

import reflex as rx

from clinic_chat.ui.components.bindings import browser_call
from clinic_chat.ui.components.times import ClockTime, LongDate
from clinic_chat.ui.i18n import t
from clinic_chat.ui.thread.state import ThreadMessage


def stand_in(message: rx.Var[ThreadMessage]) -> rx.Component:
    """A sentence in place of content that cannot be shown; nothing for a text."""
    return rx.cond(
        (message.kind == "text") & (message.body != ""),
        rx.fragment(),
        rx.el.div(
            _sentence(message.kind),
            class_name="message-stand-in",
            custom_attrs={"data-testid": "stand-in"},
        ),
    )


def fold_button(message: rx.Var[ThreadMessage]) -> rx.Component:
    """A button that unfolds or folds a long message, and a note of text that was not kept."""
    return rx.fragment(
        rx.cond(
            message.lost > 0,
            rx.el.div(
                t("The last {n} characters were too many to be kept.", n=message.lost),
                class_name="message-stand-in",
            ),
            rx.fragment(),
        ),
        rx.cond(
            message.is_long,
            rx.el.button(
                rx.cond(message.folded, t("Show more"), t("Show less")),
                type="button",
                class_name="message-more",
                aria_expanded=~message.folded,
                on_click=browser_call(
                    "thread/long_messages",
                    "fold",
                    message.conversation_id,
                    message.id,
                    message.seq,
                    message.body_length,
                ),
                custom_attrs={"data-testid": "show-more"},
            ),
            rx.fragment(),
        ),
    )


def late_times(message: rx.Var[ThreadMessage]) -> rx.Component:
    """The times of sending and of arrival, for a message that the channel passed on late."""
    return rx.el.span(
        t("sent"),
        " ",
        rx.cond(
            message.sent_on_other_day,
            rx.fragment(LongDate.create(at=message.at), " "),
            rx.fragment(),
        ),
        ClockTime.create(at=message.at),
        " · ",
        t("arrived"),
        " ",
        ClockTime.create(at=message.received_at),
        custom_attrs={"data-testid": "sent-late"},
    )


def _sentence(kind: rx.Var[str]) -> rx.Var[str]:
    return rx.match(
        kind,
        ("text", t("Empty message")),
        ("image", t("Photo received. It cannot be shown here yet.")),
        ("audio", t("Voice message received. It cannot be played here yet.")),
        ("video", t("Video received. It cannot be played here yet.")),
        ("document", t("Document received. It cannot be opened here yet.")),
        ("location", t("Location received. It cannot be shown here yet.")),
        ("contact", t("Contact received. It cannot be shown here yet.")),
        ("sticker", t("Sticker received. It cannot be shown here yet.")),
        t("Part of this message cannot be shown here."),
    )

"""List row: one conversation in the list."""

import reflex as rx

from clinic_chat.ui.components.delivery_ticks import tick
from clinic_chat.ui.components.texts import UNTRANSLATED, MarkedText, fresh, inner_link
from clinic_chat.ui.components.theme import avatar
from clinic_chat.ui.components.times import RelativeTime
from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.state import ConversationRow


@rx.memo
def conversation_row(row: rx.Var[ConversationRow], rest: rx.RestProp) -> rx.Component:
    """A link to the conversation with its patient, last message, time and unread count."""
    return rx.el.li(
        inner_link(
            avatar(row.initials, row.hue),
            rx.el.span(
                rx.el.span(
                    rx.el.span(
                        MarkedText.create(text=row.patient_name, hits=row.name_hits),
                        class_name="conversation-row-name",
                        custom_attrs=UNTRANSLATED,
                    ),
                    rx.el.span(
                        RelativeTime.create(at=row.last_activity_at),
                        class_name="conversation-row-time",
                    ),
                    class_name="conversation-row-line",
                ),
                rx.el.span(
                    rx.cond(row.typing_count > 0, _typing(row), _preview(row)),
                    _marks(row),
                    class_name="conversation-row-line",
                ),
                class_name="conversation-row-text",
            ),
            to=row.path,
            class_name="conversation-row-link",
            custom_attrs={
                "aria-current": rx.cond(row.is_open, "page", "false"),
                "tabIndex": rx.cond(row.tab_stop, 0, -1),
            },
        ),
        rest,
        class_name="conversation-row",
        custom_attrs={
            "data-testid": "conversation-row",
            "data-id": row.id,
            "data-open": row.is_open,
            "data-unread": row.unread > 0,
        },
    )


def _preview(row: rx.Var[ConversationRow]) -> rx.Component:
    return rx.el.span(
        rx.cond(
            row.preview_direction == "outbound",
            rx.fragment(
                tick(row.preview_status),
                fresh(
                    rx.cond(row.preview_mine, t("You"), row.preview_author) + ": ",
                    custom_attrs=UNTRANSLATED,
                ),
            ),
            rx.fragment(),
        ),
        rx.cond(
            row.preview_kind == "text",
            rx.cond(row.preview != "", fresh(row.preview), _quiet(_nothing(row))),
            rx.fragment(
                _quiet(_kind_name(row.preview_kind)),
                rx.cond(row.preview != "", fresh(" · " + row.preview), rx.fragment()),
            ),
        ),
        class_name="conversation-row-preview",
    )


def _nothing(row: rx.Var[ConversationRow]) -> rx.Var[str]:
    """What stands for a text without one: a program may start a conversation without a message."""
    return rx.cond(row.preview_direction == "", t("No messages yet"), t("Empty message"))


def _quiet(text: rx.Var[str]) -> rx.Component:
    return rx.el.span(text, class_name="conversation-row-kind")


def _kind_name(kind: rx.Var[str]) -> rx.Var[str]:
    return rx.match(
        kind,
        ("image", t("Photo")),
        ("audio", t("Voice message")),
        ("video", t("Video")),
        ("document", t("Document")),
        ("location", t("Location")),
        ("contact", t("Contact")),
        ("sticker", t("Sticker")),
        t("Cannot be shown in full"),
    )


def _typing(row: rx.Var[ConversationRow]) -> rx.Component:
    return fresh(
        rx.cond(
            row.typing_count > 1,
            t("{n} people are typing…", n=row.typing_count),
            t("{name} is typing…", name=row.typing),
        ),
        class_name="conversation-row-preview conversation-row-typing",
    )


def _marks(row: rx.Var[ConversationRow]) -> rx.Component:
    return rx.el.span(
        status_badge(row.status, quiet=True),
        rx.cond(
            row.unread > 0,
            rx.el.span(
                rx.cond(row.unread > 99, "99+", row.unread.to_string()),
                rx.el.span(" ", t("unread", n=row.unread), class_name="sr-only"),
                key=row.unread.to_string(),
                class_name="unread-badge",
                custom_attrs={"data-testid": "unread-badge"},
            ),
            rx.fragment(),
        ),
        class_name="conversation-row-marks",
    )


def status_name(status: rx.Var[str]) -> rx.Var[str]:
    """The conversation's status in words, as a text."""
    name: rx.Var[str] = rx.match(
        status,
        ("pending", t("Pending")),
        ("resolved", t("Resolved")),
        t("Open"),
    )
    return name


def status_badge(status: rx.Var[str], *, quiet: bool = False) -> rx.Component:
    """The conversation's status in words; with `quiet`, nothing for an open one."""
    return rx.match(
        status,
        ("pending", fresh(t("Pending"), class_name="status-badge status-badge-pending")),
        ("resolved", fresh(t("Resolved"), class_name="status-badge status-badge-resolved")),
        ("open", rx.fragment() if quiet else fresh(t("Open"), class_name="status-badge")),
        rx.fragment(),
    )

"""What is said of messages that are more than their words, or have none."""

import reflex as rx

from clinic_chat.ui.i18n import t
from clinic_chat.ui.thread.state import ThreadMessage


def stand_in(message: rx.Var[ThreadMessage]) -> rx.Component:
    """What came with the words and cannot be shown; nothing for a text."""
    return rx.cond(
        (message.kind == "text") & (message.body != ""),
        rx.fragment(),
        rx.el.div(
            _sentence(message.kind),
            class_name="message-stand-in",
            custom_attrs={"data-testid": "stand-in"},
        ),
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

"""Thread components that the browser draws (assets/live/thread)."""

from typing import Any

import reflex as rx


class MessageBox(rx.Component):
    """The text area of the composer with its draft, its limits and its keyboard control."""

    library = "$/public/live/thread/composer.js"
    tag = "MessageBox"

    conversation_id: rx.Var[str]
    label: rx.Var[str]
    placeholder: rx.Var[str]


class ThreadScroll(rx.Component):
    """The scrolling area, which keeps the reader's place."""

    library = "$/public/live/thread/scroll.js"
    tag = "ThreadScroll"

    conversation_id: rx.Var[str]
    marked_seq: rx.Var[int]
    label: rx.Var[str]


class Announcements(rx.Component):
    """A live region that reads out new messages of the open conversation."""

    library = "$/public/live/thread/announcements.js"
    tag = "Announcements"

    conversation_id: rx.Var[str]
    messages: rx.Var[list[Any]]
    at_end: rx.Var[bool]
    label: rx.Var[str]


class MessageActions(rx.Component):
    """The button that copies the text of the message under the mouse or the keyboard's focus."""

    library = "$/public/live/thread/message_actions.js"
    tag = "MessageActions"


class FailedDelivery(rx.Component):
    """Actions for a message that did not reach the patient."""

    library = "$/public/live/thread/failed_delivery.js"
    tag = "FailedDelivery"

    message_id: rx.Var[str]
    conversation_id: rx.Var[str]
    body: rx.Var[str]
    resent: rx.Var[bool]

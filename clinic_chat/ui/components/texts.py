"""Texts that the browser draws: links, marks, counts, and texts that change in place."""

from typing import Any

import reflex as rx


class MarkedText(rx.Component):
    """A text with the hits of a search marked."""

    library = "$/public/live/components/marked_text.js"
    tag = "MarkedText"

    text: rx.Var[str]
    hits: rx.Var[list[list[int]]]


class CompactCount(rx.Component):
    """A number in short form: 1200 is "1,2 mil" or "1.2K"."""

    library = "$/public/live/components/numbers.js"
    tag = "CompactCount"

    number: rx.Var[int]


class MessageText(rx.Component):
    """The text of a message, with addresses and phone numbers as links."""

    library = "$/public/live/components/links.js"
    tag = "MessageText"

    body: rx.Var[str]


def fresh(text: rx.Var[Any], **props: Any) -> rx.Component:
    """A text that changes in place, in an element that is created anew with each change.

    Page translators replace text nodes, and React would go on changing those that are gone.
    """
    return rx.el.span(text, key=rx.Var.create(text).to_string(), **props)


# Page translators must not translate names and numbers.
UNTRANSLATED = {"translate": "no"}


class InnerLink(rx.Component):
    """A link to another address of this app; plain, so that its look comes from the style sheet."""

    library = "react-router"
    tag = "Link"

    to: rx.Var[str]


inner_link = InnerLink.create

"""Texts that the browser draws: links, marks, counts, and what changes in place."""

from typing import Any

import reflex as rx


class MarkedText(rx.Component):
    """A text with what a search found in it marked."""

    library = "$/public/live/components/marked_text.js"
    tag = "MarkedText"

    text: rx.Var[str]
    hits: rx.Var[list[list[int]]]


class CompactCount(rx.Component):
    """A number as short as a button needs it: 1200 is "1,2 mil" or "1.2K"."""

    library = "$/public/live/components/numbers.js"
    tag = "CompactCount"

    number: rx.Var[int]


class MessageText(rx.Component):
    """What somebody wrote, with its addresses and phone numbers as links."""

    library = "$/public/live/components/links.js"
    tag = "MessageText"

    body: rx.Var[str]


def fresh(text: rx.Var[Any], **props: Any) -> rx.Component:
    """A text that changes in place, in an element that is made anew with it.

    Page translators replace text nodes, and React goes on changing those that are gone.
    """
    return rx.el.span(text, key=rx.Var.create(text).to_string(), **props)


# Names of people and their numbers are no words of a language.
UNTRANSLATED = {"translate": "no"}


class InnerLink(rx.Component):
    """A link to another address of this app; plain, so its look is the style sheet's."""

    library = "react-router"
    tag = "Link"

    to: rx.Var[str]


inner_link = InnerLink.create

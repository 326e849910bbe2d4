"""Inbox components that the browser draws (assets/live/inbox)."""

import reflex as rx


class ConversationRows(rx.Component):
    """The scrolling list of conversations, with its keyboard control and its held order."""

    library = "$/public/live/inbox/rows.js"
    tag = "ConversationRows"


class SearchBox(rx.Component):
    """The list's search box."""

    library = "$/public/live/inbox/search_box.js"
    tag = "SearchBox"

    label: rx.Var[str]

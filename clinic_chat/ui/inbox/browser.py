"""The inbox's own components of the browser (assets/live/inbox)."""

import reflex as rx


class ConversationRows(rx.Component):
    """The scrolling list of conversations, with its keys and its order that holds still."""

    library = "$/public/live/inbox/rows.js"
    tag = "ConversationRows"


class SearchBox(rx.Component):
    """The box of the list's search."""

    library = "$/public/live/inbox/search_box.js"
    tag = "SearchBox"

    label: rx.Var[str]

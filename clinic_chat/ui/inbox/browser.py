"""The inbox's own components of the browser (assets/live/inbox)."""

import reflex as rx
from reflex.event import passthrough_event_spec


class ConversationRows(rx.Component):
    """The scrolling list of conversations, with its keys and its order that holds still."""

    library = "$/public/live/inbox/rows.js"
    tag = "ConversationRows"


class SearchBox(rx.Component):
    """The box of the list's search, which calls `on_search` with what was typed."""

    library = "$/public/live/inbox/search_box.js"
    tag = "SearchBox"

    label: rx.Var[str]
    value: rx.Var[str]
    on_search: rx.EventHandler[passthrough_event_spec(str)]  # type: ignore[type-arg, valid-type]

"""Parts of any screen: boundaries of failure, notices, questions, drawers and buttons."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec


class Boundary(rx.Component):
    """Shows a short text in the place of children that throw (assets/live/components/boundary.js).

    `of` is the var that decides what the children show, where there is one: an error is over when
    it changes, and a long list costs no more with boundaries than without. `whole` is for a pane,
    `element` the HTML element that the text stands in.
    """

    library = "$/public/live/components/boundary.js"
    tag = "Boundary"

    of: rx.Var[Any]
    whole: rx.Var[bool]
    element: rx.Var[str]


class SeenButton(rx.Component):
    """A button that presses itself when it comes into view."""

    library = "$/public/live/components/auto_load_button.js"
    tag = "SeenButton"

    disabled: rx.Var[bool]
    cursor: rx.Var[str | int]


class SkipLinks(rx.Component):
    """Links to the list and to the conversation, for keys and screen readers."""

    library = "$/public/live/app/skip_links.js"
    tag = "SkipLinks"

    to_list: rx.Var[str]
    to_conversation: rx.Var[str]


class Notices(rx.Component):
    """Short notices of what did not happen."""

    library = "$/public/live/components/notices.js"
    tag = "Notices"


class Question(rx.Component):
    """A dialog that has to be answered; its title and text have the ids in question.js."""

    library = "$/public/live/components/confirm.js"
    tag = "Question"

    open: rx.Var[bool]
    on_cancel: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg, valid-type]


class Drawer(rx.Component):
    """A panel at the screen's edge, over everything else."""

    library = "$/public/live/components/drawer.js"
    tag = "Drawer"

    label: rx.Var[str]


class CopyButton(rx.Component):
    """A button that puts a text on the clipboard; what it copies is in its name."""

    library = "$/public/live/components/clipboard.js"
    tag = "CopyButton"

    text: rx.Var[str]
    label: rx.Var[str]

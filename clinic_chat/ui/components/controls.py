"""Common controls: error boundaries, notices, dialogs, drawers and buttons."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec


class Boundary(rx.Component):
    """Shows a short text in place of children that throw (components/react/boundary.js).

    `of` is the var that the children depend on, if there is one: they are drawn again only when
    it changes, which also clears an error. So boundaries do not slow a long list down. `whole` is
    for a pane, `element` the HTML element of the text.
    """

    library = "$/public/live/components/react/boundary.js"
    tag = "Boundary"

    of: rx.Var[Any]
    whole: rx.Var[bool]
    element: rx.Var[str]


class HydratedFields(rx.Component):
    """Fields that cannot be used before the page's code runs (react/hydrated_fields.js)."""

    library = "$/public/live/components/react/hydrated_fields.js"
    tag = "HydratedFields"


class SeenButton(rx.Component):
    """A button that presses itself when it scrolls into view."""

    library = "$/public/live/components/auto_load_button.js"
    tag = "SeenButton"

    disabled: rx.Var[bool]
    cursor: rx.Var[str | int]


class SkipLinks(rx.Component):
    """Links to the list and to the conversation, for keyboards and screen readers."""

    library = "$/public/live/app/skip_links.js"
    tag = "SkipLinks"

    to_list: rx.Var[str]
    to_conversation: rx.Var[str]


class Notices(rx.Component):
    """Short notices of failed actions."""

    library = "$/public/live/components/notices.js"
    tag = "Notices"


class Question(rx.Component):
    """A dialog that has to be answered; confirm.js has the ids of its title and text."""

    library = "$/public/live/components/confirm.js"
    tag = "Question"

    open: rx.Var[bool]
    on_cancel: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg, valid-type]


class Drawer(rx.Component):
    """A panel at the screen's edge, over everything else."""

    library = "$/public/live/components/drawer.js"
    tag = "Drawer"

    label: rx.Var[str]


class InvitationLink(rx.Component):
    """The address of a link to join, to copy and to hand over."""

    library = "$/public/live/components/invitation_link.js"
    tag = "InvitationLink"

    text: rx.Var[str]


class OwnAddress(rx.Component):
    """An address of this server that ends with `path`, to copy and to hand over."""

    library = "$/public/live/components/own_address.js"
    tag = "OwnAddress"

    path: rx.Var[str]
    name: rx.Var[str]
    copy_label: rx.Var[str]


class CopyButton(rx.Component):
    """A button that copies a text to the clipboard; its label names the text."""

    library = "$/public/live/components/clipboard.js"
    tag = "CopyButton"

    text: rx.Var[str]
    label: rx.Var[str]

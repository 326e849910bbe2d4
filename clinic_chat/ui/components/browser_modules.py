"""The browser modules as Python components, and calls into them from event triggers."""

import zlib
from pathlib import PurePosixPath
from typing import Any

import reflex as rx
from reflex.event import EventChain, no_args_event_spec, passthrough_event_spec
from reflex.vars import VarData


class LiveBridge(rx.Component):
    """Tells the browser modules who is signed in and which states they feed."""

    library = "$/public/live/app/bridge.js"
    tag = "LiveBridge"

    inbox_state: rx.Var[str]
    thread_state: rx.Var[str]
    phase: rx.Var[str]
    user_id: rx.Var[str]
    clinic: rx.Var[str]
    time_zone: rx.Var[str]
    locale: rx.Var[str]
    sound: rx.Var[bool]
    clinic_name: rx.Var[str]
    patient_name: rx.Var[str]


class MessageBox(rx.Component):
    """The text area of the composer with its draft, its limits and its keys."""

    library = "$/public/live/thread/composer.js"
    tag = "MessageBox"

    conversation_id: rx.Var[str]
    label: rx.Var[str]
    placeholder: rx.Var[str]
    reasons: rx.Var[dict[str, str]]


class ThreadScroll(rx.Component):
    """The scrolling area that keeps the reader's place."""

    library = "$/public/live/thread/scroll.js"
    tag = "ThreadScroll"

    conversation_id: rx.Var[str]
    marked_seq: rx.Var[int]
    label: rx.Var[str]


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


class Announcements(rx.Component):
    """A live region that reads out what arrives in the open conversation."""

    library = "$/public/live/thread/announcements.js"
    tag = "Announcements"

    conversation_id: rx.Var[str]
    messages: rx.Var[list[Any]]
    at_end: rx.Var[bool]
    label: rx.Var[str]


class SeenButton(rx.Component):
    """A button that presses itself when it comes into view."""

    library = "$/public/live/components/auto_load_button.js"
    tag = "SeenButton"

    disabled: rx.Var[bool]
    cursor: rx.Var[str | int]


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


class SkipLinks(rx.Component):
    """Links to the list and to the conversation, for keys and screen readers."""

    library = "$/public/live/app/skip_links.js"
    tag = "SkipLinks"

    to_list: rx.Var[str]
    to_conversation: rx.Var[str]


class MarkedText(rx.Component):
    """A text with what a search found in it marked."""

    library = "$/public/live/components/marked_text.js"
    tag = "MarkedText"

    text: rx.Var[str]
    hits: rx.Var[list[list[int]]]


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


class MessageActions(rx.Component):
    """The button that copies the text of the message under the mouse or the keyboard's focus."""

    library = "$/public/live/thread/message_actions.js"
    tag = "MessageActions"


class FailedDelivery(rx.Component):
    """What can be done about a message that did not reach the patient."""

    library = "$/public/live/thread/failed_delivery.js"
    tag = "FailedDelivery"

    message_id: rx.Var[str]
    conversation_id: rx.Var[str]
    body: rx.Var[str]
    resent: rx.Var[bool]


class _Time(rx.Component):
    library = "$/public/live/account/time.js"


class ClockTime(_Time):
    """The time of day in the clinic's time zone."""

    tag = "ClockTime"
    at: rx.Var[str]


class RelativeTime(_Time):
    """How long ago, kept current."""

    tag = "RelativeTime"
    at: rx.Var[str]


class Receipt(_Time):
    """What became of a message and when, on hover and for screen readers."""

    tag = "Receipt"
    at: rx.Var[str]
    name: rx.Var[str]
    reason: rx.Var[str]


class PrintedAt(_Time):
    """The moment, for paper."""

    tag = "PrintedAt"


class LongDate(_Time):
    """A date in words."""

    tag = "LongDate"
    at: rx.Var[str]


class DayName(_Time):
    """Today, yesterday, or the day's name."""

    tag = "DayName"
    day: rx.Var[str]


class InnerLink(rx.Component):
    """A link to another address of this app; plain, so its look is the style sheet's."""

    library = "react-router"
    tag = "Link"

    to: rx.Var[str]


inner_link = InnerLink.create


def fresh(text: rx.Var[Any], **props: Any) -> rx.Component:
    """A text that changes in place, in an element that is made anew with it.

    Page translators replace text nodes, and React goes on changing those that are gone.
    """
    return rx.el.span(text, key=rx.Var.create(text).to_string(), **props)


# Names of people and their numbers are no words of a language.
UNTRANSLATED = {"translate": "no"}


def browser_call(module: str, function: str, *arguments: Any) -> Any:
    """An event trigger that calls a function of a browser module, without the server.

    `module` is its path in assets/live, such as `thread/actions`.
    """
    variables = [rx.Var.create(argument) for argument in arguments]
    alias = f"{function}_{PurePosixPath(module).name}"
    return rx.Var(
        _js_expr=f"(() => {alias}({', '.join(str(variable) for variable in variables)}))",
        _var_type=EventChain,
        _var_data=VarData.merge(
            *(variable._get_all_var_data() for variable in variables),
            VarData(
                imports={f"$/public/live/{module}.js": [rx.ImportVar(tag=function, alias=alias)]}
            ),
        ),
    )


def browser_handler(module: str, function: str) -> Any:
    """An event trigger that hands the browser's event to a function of a browser module."""
    alias = f"{function}_{PurePosixPath(module).name}"
    return rx.Var(
        _js_expr=alias,
        _var_type=EventChain,
        _var_data=VarData(
            imports={f"$/public/live/{module}.js": [rx.ImportVar(tag=function, alias=alias)]}
        ),
    )


def browser_value(module: str, store: str, expression: str, var_type: Any = str) -> Any:
    """A value of a browser module's store; components that use it follow its changes."""
    name = f"{store}Value"
    return rx.Var(
        _js_expr=f"{name}.{expression}",
        _var_type=var_type,
        _var_data=VarData(
            imports={f"$/public/live/{module}.js": [rx.ImportVar(tag=store)]},
            hooks={f"const {name} = {store}.use();": None},
        ),
    ).to(var_type)


def in_slices(ready: rx.Var[bool]) -> rx.Var[bool]:
    """`ready`, true once what shows with it was drawn (assets/live/components/deferred.js).

    For what is large: drawn in one go it would keep a slow machine from everything else for most
    of a second.
    """
    name = f"drawn{zlib.crc32(str(ready).encode()):x}"
    return rx.Var(
        _js_expr=name,
        _var_type=bool,
        _var_data=VarData.merge(
            ready._get_all_var_data(),
            VarData(
                imports={"$/public/live/components/deferred.js": [rx.ImportVar(tag="useSlices")]},
                hooks={f"const {name} = useSlices({ready!s});": None},
            ),
        ),
    ).to(bool)

"""Menus. What a press opens is drawn by Radix's library, which is loaded after the page."""

import reflex as rx
from reflex.constants.compiler import MemoizationMode
from reflex.event import no_args_event_spec


class _Part(rx.Component):
    library = "$/public/live/menu.js"


class Menu(_Part):
    """A button, its first child, that opens the others. It has to be a plain `rx.el.button`."""

    tag = "Menu"
    # Wrapped in a component of its own, the button could not be given what makes it open.
    _memoization_mode = MemoizationMode(recursive=False)


class MenuItem(_Part):
    """What can be chosen."""

    tag = "MenuItem"

    disabled: rx.Var[bool]
    on_select: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg, valid-type]


class MenuSeparator(_Part):
    """A line between groups of items."""

    tag = "MenuSeparator"


class SubMenu(_Part):
    """An item, its first child what it says, that opens the others beside it."""

    tag = "SubMenu"


menu = Menu.create
item = MenuItem.create
separator = MenuSeparator.create
sub_menu = SubMenu.create

"""Menus. Radix's library, which is loaded after the page, draws an open menu."""

from typing import Any

import reflex as rx
from reflex.constants.compiler import MemoizationMode
from reflex.event import no_args_event_spec


class _Part(rx.Component):
    library = "$/public/live/menus/menu.js"


class Menu(_Part):
    """A button, the first child, that opens the others. It has to be a plain `rx.el.button`."""

    tag = "Menu"
    # Memoized as a component of its own, the button could not get the props that open the menu.
    _memoization_mode = MemoizationMode(recursive=False)


class MenuItem(_Part):
    """A menu item; with a `role`, one of several choices or a switch, whose state is `checked`."""

    tag = "MenuItem"

    disabled: rx.Var[bool]
    role: rx.Var[str]
    checked: rx.Var[bool]
    on_select: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg, valid-type]


class MenuSeparator(_Part):
    """A line between groups of items."""

    tag = "MenuSeparator"


class SubMenu(_Part):
    """A menu item, with its label as the first child, that opens the other children beside it."""

    tag = "SubMenu"


menu = Menu.create
item = MenuItem.create

separator = MenuSeparator.create
sub_menu = SubMenu.create


def radio(*children: Any, checked: rx.Var[bool], **props: Any) -> rx.Component:
    """One of several choices, with a tick if it is chosen."""
    return item(*children, _tick(), role="menuitemradio", checked=checked, **props)


def switch(*children: Any, checked: rx.Var[bool], **props: Any) -> rx.Component:
    """A setting that is on, with a tick, or off."""
    return item(*children, _tick(), role="menuitemcheckbox", checked=checked, **props)


def _tick() -> rx.Component:
    return rx.icon("check", size=16, class_name="menu-check", custom_attrs={"aria-hidden": "true"})

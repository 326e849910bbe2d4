"""Menus. What a press opens is drawn by Radix's library, which is loaded after the page."""

from typing import Any

import reflex as rx
from reflex.constants.compiler import MemoizationMode
from reflex.event import no_args_event_spec


class _Part(rx.Component):
    library = "$/public/live/menus/menu.js"


class Menu(_Part):
    """A button, its first child, that opens the others. It has to be a plain `rx.el.button`."""

    tag = "Menu"
    # Wrapped in a component of its own, the button could not be given what makes it open.
    _memoization_mode = MemoizationMode(recursive=False)


class MenuItem(_Part):
    """What can be chosen; with a `role`, what is chosen now (`checked`) among several, or is on."""

    tag = "MenuItem"

    disabled: rx.Var[bool]
    role: rx.Var[str]
    checked: rx.Var[bool]
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


def radio(*children: Any, checked: rx.Var[bool], **props: Any) -> rx.Component:
    """One of several of which one is chosen, with a tick when it is this one."""
    return item(*children, _tick(), role="menuitemradio", checked=checked, **props)


def switch(*children: Any, checked: rx.Var[bool], **props: Any) -> rx.Component:
    """What is on, with a tick, or off."""
    return item(*children, _tick(), role="menuitemcheckbox", checked=checked, **props)


def _tick() -> rx.Component:
    return rx.icon("check", size=16, class_name="menu-check", custom_attrs={"aria-hidden": "true"})

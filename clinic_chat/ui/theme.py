"""The look of the product: its style sheets, its mark, and people's avatars."""

import reflex as rx

STYLESHEETS = [
    "/styles/tokens.css",
    "/styles/base.css",
    "/styles/menus.css",
    "/styles/inbox.css",
    "/styles/thread.css",
    "/styles/sign_in.css",
    "/styles/print.css",
]


def icon() -> rx.Component:
    """The icon of the browser's tab, which assets/live/attention.js changes."""
    return rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml")


def mark() -> rx.Component:
    """The product's mark."""
    return rx.el.span(
        rx.icon("messages-square", size=18),
        class_name="mark",
        custom_attrs={"aria-hidden": "true"},
    )


def avatar(initials: rx.Var[str] | str, hue: rx.Var[int] | int, size: str = "m") -> rx.Component:
    """Initials on a colour that stays the same for the same person."""
    return rx.el.span(
        initials,
        class_name=f"avatar avatar-{size}",
        # As an attribute: of a `style`, Reflex makes a rule in the page's style sheet for each hue.
        custom_attrs={"aria-hidden": "true", "style": rx.Var.create({"--hue": hue})},
    )

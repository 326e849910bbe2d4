"""The look of the product: Radix Themes tokens; the rest is assets/styles/."""

import reflex as rx

STYLESHEETS = [
    "/styles/base.css",
    "/styles/inbox.css",
    "/styles/thread.css",
    "/styles/sign_in.css",
]


def theme() -> rx.Component:
    """The tokens every screen builds on."""
    return rx.theme(
        accent_color="jade",
        gray_color="slate",
        radius="large",
        scaling="100%",
        panel_background="solid",
    )


def mark() -> rx.Component:
    """The product's mark."""
    return rx.el.span(
        rx.icon("messages-square", size=18, stroke_width=2),
        class_name="mark",
        custom_attrs={"aria-hidden": "true"},
    )


def avatar(initials: rx.Var[str] | str, hue: rx.Var[int] | int, size: str = "m") -> rx.Component:
    """Initials on a colour that stays the same for the same person."""
    return rx.el.span(
        initials,
        class_name=f"avatar avatar-{size}",
        style={"--hue": rx.Var.create(hue).to_string()},
        custom_attrs={"aria-hidden": "true"},
    )
